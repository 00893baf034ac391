//! A table of calls with a gauge each, in [ratatui](https://ratatui.rs). `q` or Esc quits and cancels all, `c` cancels the selected
//! call, up and down select. Where standard output is no terminal, the last frame is printed as text.
#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a program may print, and reads its own clock"
)]

mod app;
mod keys;
mod screen;

use app::App;
use futures::StreamExt as _;
use keys::Key;
use mcp_progress::Client;
use mcp_progress::testing::ScriptedServer;
use ratatui::Terminal;
use ratatui::backend::{Backend, TestBackend};
use std::error::Error;
use std::io::{IsTerminal as _, stdout};
use std::time::{Duration, Instant};

/// Ten frames a second, however many updates come.
const FRAME: Duration = Duration::from_millis(100);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let client = Client::connect(ScriptedServer::demo())
        .idle_timeout(Duration::from_secs(3))
        .await?;
    let shown = if stdout().is_terminal() {
        // From here on a panic, too, gives the terminal back as it was.
        let mut terminal = ratatui::try_init()?;
        let shown = run(&client, &mut terminal, true).await;
        ratatui::try_restore()?;
        shown
    } else {
        let mut terminal = Terminal::new(TestBackend::new(80, 11))?;
        let shown = run(&client, &mut terminal, false).await;
        for line in screen::text(terminal.backend().buffer()) {
            println!("{line}");
        }
        shown
    };
    // Writes the cancellations of what was still running.
    client.close().await;
    shown
}

/// Until the user quits, or all calls are over where there is no user.
async fn run<B: Backend<Error: 'static>>(
    client: &Client,
    terminal: &mut Terminal<B>,
    user: bool,
) -> Result<(), Box<dyn Error>> {
    let (app, mut calls) = App::start(client, Instant::now());
    let mut frames = tokio::time::interval(FRAME);
    let mut running = true;
    while user || running {
        tokio::select! {
            // The calls run here, in this task: each writes into its own row.
            over = calls.next(), if running => running = over.is_some(),
            _ = frames.tick() => {
                while let Some(key) = keys::next(user)? {
                    match key {
                        Key::Quit => return Ok(()),
                        Key::Cancel => app.cancel_selected(),
                        Key::Up => app.select(-1),
                        Key::Down => app.select(1),
                    }
                }
                terminal.draw(|frame| screen::draw(frame, &app, Instant::now()))?;
            }
        }
    }
    terminal.draw(|frame| screen::draw(frame, &app, Instant::now()))?;
    Ok(())
}
