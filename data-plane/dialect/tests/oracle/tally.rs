//! Counts: what passed, what differs for a named reason, what is wrong.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Mutex;

use breakwater_dialect::Format;

use crate::floors;

/// How the name of an explanation begins if the call was refused.
pub const REFUSED: &str = "refused: ";

/// How one check ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Equal.
    Pass,
    /// Not equal, and rightly so: the name of the reason.
    Explained(String),
    /// Wrong: what is.
    Wrong(String),
}

/// What a recording is an example of: the columns of the matrix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Feature {
    Plain,
    Stream,
    Tools,
    Images,
    JsonSchema,
    Thinking,
    Error,
}

impl Feature {
    pub const ALL: [Self; 7] =
        [Self::Plain, Self::Stream, Self::Tools, Self::Images, Self::JsonSchema, Self::Thinking, Self::Error];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Stream => "stream",
            Self::Tools => "tools",
            Self::Images => "images",
            Self::JsonSchema => "json schema",
            Self::Thinking => "thinking",
            Self::Error => "error",
        }
    }
}

/// Counts of one pair of formats and one feature.
#[derive(Debug, Default, Clone)]
pub struct Mark {
    pub passed: usize,
    pub explained: usize,
    pub refused: BTreeMap<String, usize>,
    pub wrong: usize,
}

impl Mark {
    pub fn add(&mut self, other: &Self) {
        self.passed += other.passed;
        self.explained += other.explained;
        self.wrong += other.wrong;
        for (reason, count) in &other.refused {
            *self.refused.entry(reason.clone()).or_default() += count;
        }
    }
}

/// Counts of one pair of formats.
#[derive(Debug, Default, Clone)]
pub struct Cell {
    pub passed: usize,
    pub explained: BTreeMap<String, usize>,
    pub wrong: BTreeMap<String, Vec<String>>,
}

impl Cell {
    pub fn wrongs(&self) -> usize {
        self.wrong.values().map(Vec::len).sum()
    }
}

/// Counts of one oracle: from one format to another.
#[derive(Debug, Default)]
pub struct Tally {
    cells: BTreeMap<(Format, Format), Cell>,
    marks: BTreeMap<(Format, Format, Feature), Mark>,
}

impl Tally {
    pub fn note(&mut self, from: Format, to: Format, file: &str, features: &[Feature], verdict: Verdict) {
        for feature in features {
            let mark = self.marks.entry((from, to, *feature)).or_default();
            match &verdict {
                Verdict::Pass => mark.passed += 1,
                Verdict::Explained(why) => match why.strip_prefix(REFUSED) {
                    Some(what) => *mark.refused.entry(what.to_owned()).or_default() += 1,
                    None => mark.explained += 1,
                },
                Verdict::Wrong(_) => mark.wrong += 1,
            }
        }
        let cell = self.cells.entry((from, to)).or_default();
        match verdict {
            Verdict::Pass => cell.passed += 1,
            Verdict::Explained(reason) => *cell.explained.entry(reason).or_default() += 1,
            Verdict::Wrong(what) => {
                cell.wrong.entry(class(&what)).or_default().push(format!("{file}: {what}"))
            }
        }
    }

    /// What is counted of a feature from one format to another.
    pub fn mark(&self, from: Format, to: Format, feature: Feature) -> Mark {
        self.marks.get(&(from, to, feature)).cloned().unwrap_or_default()
    }

    pub fn cells(&self) -> impl Iterator<Item = (Format, Format, &Cell)> {
        self.cells.iter().map(|((from, to), cell)| (*from, *to, cell))
    }

    /// Prints the counts, and each kind of what is wrong with its first recording.
    pub fn print(&self, title: &str, count: usize) {
        println!("\n== {title}: {count} recordings");
        let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
        for (from, to, cell) in self.cells() {
            let explained: usize = cell.explained.values().sum();
            println!(
                "{:>9} -> {:<9} pass {:>5}  explained {:>4}  wrong {:>5}",
                from.as_str(),
                to.as_str(),
                cell.passed,
                explained,
                cell.wrongs()
            );
            for (reason, count) in &cell.explained {
                *reasons.entry(reason).or_default() += count;
            }
            for (kind, files) in &cell.wrong {
                println!("      wrong {:>5}  {kind}  e.g. {:.200}", files.len(), files[0]);
            }
        }
        for (reason, count) in reasons {
            println!("   explained {count:>5}  {reason}");
        }
        self.list(title);
    }

    /// Fails if more is wrong between two formats than is admitted.
    pub fn hold(&self, title: &str) {
        let mut broken = String::new();
        for (from, to, cell) in self.cells() {
            if cell.wrongs() > floors::admitted(title, from, to) {
                let wrong = cell.wrongs();
                let _infallible = writeln!(broken, "{} -> {}: {wrong} wrong", from.as_str(), to.as_str());
            }
        }
        assert!(broken.is_empty(), "{title}\n{broken}");
    }

    fn list(&self, title: &str) {
        static LIST: Mutex<String> = Mutex::new(String::new());
        let Some(path) = std::env::var_os("ORACLE_LIST") else { return };
        let mut list = LIST.lock().expect("no test panics while it writes");
        for (from, to, cell) in self.cells() {
            for line in cell.wrong.values().flatten() {
                let _infallible = writeln!(list, "{title}\t{}\t{}\t{line}", from.as_str(), to.as_str());
            }
        }
        std::fs::write(path, list.as_str()).expect("ORACLE_LIST can be written");
    }
}

/// The first words of what is wrong: the same defect at different recordings is one kind.
fn class(what: &str) -> String {
    what.split(" | ").next().unwrap_or_default().to_owned()
}
