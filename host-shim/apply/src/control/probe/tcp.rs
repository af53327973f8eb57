//! Does something accept connections there?

use tokio::net::TcpStream;

pub(super) async fn accepts(address: &str) -> Result<(), String> {
    match TcpStream::connect(address).await {
        Ok(_) => Ok(()),
        Err(error) => Err(format!("{address}: {error}")),
    }
}
