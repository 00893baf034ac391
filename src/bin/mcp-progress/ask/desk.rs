//! Where the questions of a server arrive.
//!
//! Owns who answers: the command line, the user at the terminal, or nobody. It must not know connections, nor how forms
//! and pages look.

use std::fmt::Write as _;
use std::io;

use mcp_progress::model::{ElicitForm, ElicitResult, ElicitUrl};
use serde_json::{Map, Value};
use tokio::sync::Mutex;

use crate::ask::dialog::{self, Dialog};
use crate::ask::given::{Filled, Given};
use crate::ask::lines::{self, Lines};
use crate::ask::page::Page;
use crate::ask::question::{Answer, Question};
use crate::interrupt::Interrupt;
use crate::show::output::Output;
use crate::show::printable;
use crate::show::screen::{Screen, WITHDRAWN};

/// So many fields of a form that nobody fills in are listed.
const LISTED: usize = 50;

/// All that is needed for an answer.
#[derive(Debug)]
pub(crate) struct Desk {
    /// The server, in the words of the command line: its own may be anybody's.
    pub(crate) who: String,
    pub(crate) given: Given,
    /// The hosts whose pages are agreed to.
    pub(crate) hosts: Vec<String>,
    /// Where programs are told of questions, if they are.
    pub(crate) output: Option<Output>,
    pub(crate) screen: Screen,
    pub(crate) interrupt: Interrupt,
    /// Somebody to ask, one question at a time.
    pub(crate) terminal: Option<&'static Mutex<Lines>>,
}

impl Desk {
    /// Answers a form.
    pub(crate) async fn fill(&self, form: &ElicitForm) -> ElicitResult {
        self.asked(&Question::form(form));
        let (given, lacking) = match self.given.fill(&form.requested_schema) {
            Filled::Whole(content) => {
                return self.answered(ElicitResult::accept_with(content), None);
            }
            Filled::Partly(content, lacking) => (content, Some(lacking)),
            Filled::Nothing => (Map::new(), None),
        };
        match self.terminal {
            Some(lines) => {
                let result = self.at_terminal(lines, form, given, lacking).await;
                self.answered(result, None)
            }
            None => self.declined_form(form, lacking),
        }
    }

    async fn at_terminal(
        &self,
        lines: &Mutex<Lines>,
        form: &ElicitForm,
        given: Map<String, Value>,
        lacking: Option<String>,
    ) -> ElicitResult {
        let mut opening = format!(
            "{} asks: {}\n",
            printable::line(&self.who),
            indented(&form.message)
        );
        for (name, value) in &given {
            let _ = writeln!(
                opening,
                "  {}: {} (given)",
                printable::line(name),
                printable::line(&value.to_string())
            );
        }
        opening.push_str(
            "  Enter takes what stands in [brackets]; * must be filled in\n  \
             :d declines, :c or Ctrl-D gives no answer, Ctrl-C cancels the call\n",
        );
        // What is missing will be asked for; what is wrong must be said.
        let complaint = lacking.filter(|lacking| lacking.starts_with("--answer"));
        let mut dialog = Dialog::new(form, given, complaint);
        self.talk(lines, opening + &dialog.text(), |line| {
            dialog.hear(line).ok_or_else(|| dialog.text())
        })
        .await
    }

    /// Answers with a page, which nobody opens but the user.
    pub(crate) async fn visit(&self, asked: &ElicitUrl) -> ElicitResult {
        self.asked(&Question::page(asked));
        let who = printable::line(&self.who);
        let opening = format!(
            "{who} wants you to visit a page: {}",
            indented(&asked.message)
        );
        let page = match Page::new(asked) {
            Ok(page) => page,
            Err(reason) => {
                self.screen
                    .notice(&format!("{opening}\n  {}", printable::line(&asked.url)));
                return self.declined(&reason);
            }
        };
        let described = page.described();
        if page.is_of(&self.hosts) {
            self.screen.notice(&format!("{opening}\n{described}"));
            return self.answered(ElicitResult::accept(), None);
        }
        let Some(lines) = self.terminal else {
            self.screen.notice(&format!("{opening}\n{described}"));
            return self.declined("--accept-url HOST agrees to the pages of a host");
        };
        let prompt = "will you go there? This program opens nothing. [y/N]> ";
        let text = format!("{opening}\n{described}\n{prompt}");
        let result = self
            .talk(lines, text, |line| {
                Page::hear(line).ok_or_else(|| format!("  ! y or n\n{prompt}"))
            })
            .await;
        self.answered(result, None)
    }

    /// Writes `text`, and gives each line to `hear`, until it has the answer; before that it gives more text.
    async fn talk(
        &self,
        lines: &Mutex<Lines>,
        mut text: String,
        mut hear: impl FnMut(Option<&str>) -> Result<ElicitResult, String>,
    ) -> ElicitResult {
        let mut lines = tokio::select! {
            lines = lines.lock() => lines,
            () = self.interrupt.happened() => return ElicitResult::cancel(),
        };
        lines.forget();
        // On every path: the question may be dropped together with its call.
        let mut asking = Asking {
            desk: self,
            over: false,
        };
        loop {
            self.screen.ask(&text);
            let line = tokio::select! {
                line = lines.next() => line,
                () = self.interrupt.happened() => return ElicitResult::cancel(),
            };
            self.screen.answered(line.is_some());
            match hear(line.as_deref()) {
                Ok(result) => {
                    asking.over = true;
                    return result;
                }
                Err(more) => text = more,
            }
        }
    }

    /// Nobody is there to fill it in.
    fn declined_form(&self, form: &ElicitForm, lacking: Option<String>) -> ElicitResult {
        let who = printable::line(&self.who);
        let mut text = format!("{who} asks: {}", indented(&form.message));
        let fields = &form.requested_schema.fields;
        for field in fields.iter().take(LISTED) {
            let mark = if field.required { "*" } else { "" };
            let line = format!("{}{mark}: {}", field.name, dialog::kind_of(field));
            let _ = write!(text, "\n  {}", printable::line(&line));
        }
        if fields.len() > LISTED {
            let _ = write!(text, "\n  and {} more", fields.len() - LISTED);
        }
        self.screen.notice(&text);
        let reason = lacking.unwrap_or_else(|| {
            let fields = &form.requested_schema.fields;
            let field = fields.iter().find(|field| field.required);
            match field.or_else(|| fields.first()) {
                Some(field) => format!(
                    "there is no terminal to ask at; --answer {}=VALUE answers",
                    printable::line(&field.name)
                ),
                None => "there is no terminal to ask at".to_owned(),
            }
        });
        self.declined(&reason)
    }

    fn declined(&self, reason: &str) -> ElicitResult {
        self.screen.notice(&format!("declined: {reason}"));
        self.answered(ElicitResult::decline(), Some(reason))
    }

    // Where standard output is gone, the call itself finds out and says so.
    fn asked(&self, question: &Question<'_>) {
        if let Some(output) = &self.output {
            let _: io::Result<()> = output.event(question);
        }
    }

    fn answered(&self, result: ElicitResult, reason: Option<&str>) -> ElicitResult {
        if let Some(output) = &self.output {
            let _: io::Result<()> = output.event(&Answer::new(&result.action, reason));
        }
        result
    }
}

/// Somebody is being asked.
struct Asking<'a> {
    desk: &'a Desk,
    /// Whether there is an answer.
    over: bool,
}

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        if !self.over {
            // Half an answer is nothing for whoever reads the terminal next, the shell for instance.
            lines::forget_typed();
        }
        // At an interrupt that is said by whoever heard it.
        let word = (!self.desk.interrupt.is_set()).then_some(WITHDRAWN);
        self.desk.screen.release(word);
    }
}

/// The first line, and all others below it.
fn indented(text: &str) -> String {
    printable::block(text.trim()).replace('\n', "\n  ")
}
