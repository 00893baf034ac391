//! What the command line says.

/// `[--port N] [-- COMMAND ARGS…]`.
pub(crate) struct Options {
    /// Zero for any that is free.
    pub(crate) port: u16,
    /// The program of the server and its arguments; none for the demo.
    pub(crate) command: Option<(String, Vec<String>)>,
}

impl Options {
    /// Reads the words behind the program's name.
    pub(crate) fn parse(mut words: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut options = Self {
            port: 8417,
            command: None,
        };
        while let Some(word) = words.next() {
            match word.as_str() {
                "--port" => {
                    let port = words.next().and_then(|port| port.parse().ok());
                    options.port = port.ok_or("--port needs a number from 0 to 65535")?;
                }
                "--" => {
                    let program = words.next().ok_or("nothing behind --")?;
                    options.command = Some((program, words.by_ref().collect()));
                }
                _ => {
                    return Err(format!(
                        "{word}? usage: web_ui [--port N] [-- COMMAND ARGS…]"
                    ));
                }
            }
        }
        Ok(options)
    }
}
