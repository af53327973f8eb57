"""A mail server for tests, on this machine only: prints its port, and a line of JSON for each mail.

Arguments: "none", "starttls" or "tls"; then, for the last two, the files of certificate and key; then,
if somebody has to log in, user and password.
"""

import asyncio
import json
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult

security, rest = sys.argv[1], sys.argv[2:]
context = None
if security != "none":
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(rest[0], rest[1])
    rest = rest[2:]


def tell(value):
    print(json.dumps(value), flush=True)


class Keep:
    """Takes everything."""

    async def handle_DATA(self, server, session, envelope):
        tell({
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "mail": envelope.content.decode("utf-8"),
            "tls": session.ssl is not None or security == "tls",
            "user": str(session.auth_data or ""),
        })
        return "250 OK"


def authenticate(server, session, envelope, mechanism, data):
    user, password = data.login.decode(), data.password.decode()
    # What is not "handled" here is answered by the library.
    return AuthResult(success=[user, password] == rest, handled=False, auth_data=user)


def protocol():
    return SMTP(
        Keep(),
        hostname="mail.test",
        tls_context=context if security == "starttls" else None,
        require_starttls=security == "starttls",
        auth_required=bool(rest),
        auth_require_tls=security == "starttls",
        authenticator=authenticate if rest else None,
    )


async def serve():
    loop = asyncio.get_running_loop()
    tls = context if security == "tls" else None
    server = await loop.create_server(protocol, "127.0.0.1", 0, ssl=tls)
    tell(server.sockets[0].getsockname()[1])
    await server.serve_forever()


asyncio.run(serve())
