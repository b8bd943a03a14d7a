//! What was counted.

use std::collections::BTreeMap;

/// Outcomes by format and provider, and the failures.
#[derive(Debug, Default)]
pub struct Tally {
    rows: BTreeMap<(String, String, String), usize>,
    failures: Vec<String>,
}

impl Tally {
    /// Counts one. An error is a failure; its text is kept.
    pub fn count(&mut self, format: &str, provider: &str, file: &str, outcome: Result<String, String>) {
        let outcome = outcome.unwrap_or_else(|why| {
            self.failures.push(format!("{format} {provider} {file}: {why}"));
            "FAILED".to_owned()
        });
        *self.rows.entry((format.to_owned(), provider.to_owned(), outcome)).or_default() += 1;
    }

    /// How many there are of each outcome.
    pub fn outcomes(&self) -> BTreeMap<&str, usize> {
        let mut sums = BTreeMap::new();
        for ((.., outcome), count) in &self.rows {
            *sums.entry(outcome.as_str()).or_default() += count;
        }
        sums
    }

    /// Prints the table, and fails unless the sums are these.
    #[track_caller]
    pub fn hold(&self, name: &str, sums: &[(&str, usize)]) {
        println!("\n{name}");
        for ((format, provider, outcome), count) in &self.rows {
            println!("{count:>6}  {format:<12} {provider:<20} {outcome}");
        }
        for (outcome, count) in self.outcomes() {
            println!("{count:>6}  all: {outcome}");
        }
        let shown: Vec<String> =
            self.failures.iter().take(6).map(|why| why.chars().take(1500).collect()).collect();
        assert!(self.failures.is_empty(), "{} failures:\n{}", self.failures.len(), shown.join("\n\n"));
        let wanted: BTreeMap<&str, usize> = sums.iter().copied().collect();
        assert_eq!(self.outcomes(), wanted, "the sums of {name}");
    }
}

/// Where two texts part, with what follows in each.
pub fn difference(got: &[u8], wanted: &[u8]) -> String {
    let same = got.iter().zip(wanted).take_while(|(one, other)| one == other).count();
    let from = |text: &[u8]| {
        let start = same.saturating_sub(80);
        String::from_utf8_lossy(&text[start..text.len().min(start + 400)]).into_owned()
    };
    format!("from byte {same} on:\n  got    {:?}\n  wanted {:?}", from(got), from(wanted))
}
