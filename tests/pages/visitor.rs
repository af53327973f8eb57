//! Somebody at a browser: plain HTTP over a socket of its own, so that a test can say every header
//! exactly, the forged ones included.

use std::{
    collections::BTreeMap,
    net::{IpAddr, SocketAddr},
};

use anyhow::{Context, Result, ensure};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
};
use url::form_urlencoded;

/// A browser with at most one cookie.
#[derive(Debug, Clone)]
pub(crate) struct Visitor {
    address: SocketAddr,
    from: Option<IpAddr>,
    cookie: Option<String>,
}

/// What the panel answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

/// The fields of a form.
pub(crate) type Fields = BTreeMap<String, String>;

impl Visitor {
    pub(crate) fn new(address: SocketAddr) -> Self {
        Self {
            address,
            from: None,
            cookie: None,
        }
    }

    /// The same at another address of this machine.
    pub(crate) fn from(mut self, address: IpAddr) -> Self {
        self.from = Some(address);
        self
    }

    /// The cookie, as `name=value`.
    pub(crate) fn cookie(&self) -> Option<&str> {
        self.cookie.as_deref()
    }

    pub(crate) fn with_cookie(mut self, cookie: &str) -> Self {
        self.cookie = Some(cookie.to_owned());
        self
    }

    pub(crate) async fn get(&mut self, path: &str) -> Result<Answer> {
        self.get_with(path, &[]).await
    }

    /// Asks with headers that replace the usual ones of the same name.
    pub(crate) async fn get_with(
        &mut self,
        path: &str,
        headers: &[(&str, &str)],
    ) -> Result<Answer> {
        self.send("GET", path, headers, "").await
    }

    /// Sends a form as a browser does that shows a page of this panel.
    pub(crate) async fn post(&mut self, path: &str, fields: &Fields) -> Result<Answer> {
        self.post_with(path, fields, &[("sec-fetch-site", "same-origin")])
            .await
    }

    pub(crate) async fn post_with(
        &mut self,
        path: &str,
        fields: &Fields,
        headers: &[(&str, &str)],
    ) -> Result<Answer> {
        let body = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        let mut all = vec![("content-type", "application/x-www-form-urlencoded")];
        all.extend_from_slice(headers);
        self.send("POST", path, &all, &body).await
    }

    /// Sends a form, and waits for the end of the work that it begins: whoever has no script loads the
    /// page of it again until it leads on.
    pub(crate) async fn post_to_the_end(&mut self, path: &str, fields: &Fields) -> Result<Answer> {
        let mut answer = self.post(path, fields).await?;
        while let Some(work) = answer.header("location").map(str::to_owned)
            && work.contains("/progress/")
        {
            answer = self.get(&work).await?;
            if answer.status == 200 {
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                answer.headers.push(("location".to_owned(), work));
            }
        }
        Ok(answer)
    }

    pub(crate) async fn log_in(&mut self, user: &str, password: &str) -> Result<Answer> {
        let fields = fields(&[("name", user), ("password", password)]);
        self.post("/login", &fields).await
    }

    /// Opens a page and sends the form on it that leads to `action`.
    pub(crate) async fn press(&mut self, page: &str, action: &str) -> Result<Answer> {
        let shown = self.get(page).await?;
        let fields = shown.form(action)?;
        if action == "/roll-back" {
            // It says first what it reopens.
            let asked = self.post(action, &fields).await?;
            let fields = asked.form(action)?;
            return self.post_to_the_end(action, &fields).await;
        }
        self.post_to_the_end(action, &fields).await
    }

    async fn connect(&self) -> Result<TcpStream> {
        let socket = TcpSocket::new_v4()?;
        if let Some(from) = self.from {
            socket.bind((from, 0).into())?;
        }
        Ok(socket.connect(self.address).await?)
    }

    pub(crate) async fn send(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Result<Answer> {
        let host = self.address.to_string();
        let length = body.len().to_string();
        let mut all = BTreeMap::from([("connection", "close"), ("host", host.as_str())]);
        if method != "GET" {
            all.insert("content-length", &length);
        }
        if let Some(cookie) = &self.cookie {
            all.insert("cookie", cookie);
        }
        all.extend(headers.iter().copied());
        let mut request = format!("{method} {path} HTTP/1.1\r\n");
        for (name, value) in all.iter().filter(|(_, value)| !value.is_empty()) {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        request.push_str("\r\n");
        request.push_str(body);
        let mut stream = self.connect().await?;
        // A panel that refuses early may close before it has read everything.
        let _ = stream.write_all(request.as_bytes()).await;
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).await?;
        let answer = Answer::read(&String::from_utf8(bytes)?)?;
        if let Some(cookie) = answer.header("set-cookie") {
            let pair = cookie.split(';').next().context("a cookie has a value")?;
            self.cookie = (!pair.ends_with('=')).then(|| pair.to_owned());
        }
        Ok(answer)
    }
}

impl Answer {
    fn read(text: &str) -> Result<Self> {
        let (head, body) = text
            .split_once("\r\n\r\n")
            .context("an answer has a head")?;
        let mut lines = head.lines();
        let status = lines.next().and_then(|line| line.split(' ').nth(1));
        let headers = lines.filter_map(|line| line.split_once(": "));
        Ok(Self {
            status: status.context("an answer has a status")?.parse()?,
            headers: headers
                .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
                .collect(),
            body: body.to_owned(),
        })
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(found, _)| found == name);
        found.map(|(_, value)| value.as_str())
    }

    /// Whether it leads elsewhere, and there.
    pub(crate) fn leads_to(&self, place: &str) -> Result<()> {
        ensure!(
            self.status == 303,
            "{} and not 303:\n{}",
            self.status,
            self.body
        );
        ensure!(self.header("location") == Some(place), "{:?}", self.headers);
        Ok(())
    }

    /// The fields of the first form that leads to `action`, with its checkboxes ticked.
    pub(crate) fn form(&self, action: &str) -> Result<Fields> {
        let mark = format!("action=\"{action}\"");
        let mut forms = self.body.split("<form").skip(1);
        let form = forms
            .find(|form| {
                form.split('>')
                    .next()
                    .is_some_and(|tag| tag.contains(&mark))
            })
            .with_context(|| format!("no form leads to {action}:\n{}", self.body))?;
        let form = form.split("</form>").next().unwrap_or(form);
        let inputs = form.split("<input").skip(1);
        Ok(inputs
            .filter_map(|input| Some((attribute(input, "name")?, attribute(input, "value")?)))
            .collect())
    }

    /// Whether a form leads to `action`.
    pub(crate) fn offers(&self, action: &str) -> bool {
        self.form(action).is_ok()
    }
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let (_, rest) = tag.split('>').next()?.split_once(&format!("{name}=\""))?;
    Some(rest.split('"').next()?.to_owned())
}

/// A form as a test writes it.
pub(crate) fn fields(pairs: &[(&str, &str)]) -> Fields {
    let owned = pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    owned.collect()
}
