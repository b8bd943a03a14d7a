//! "Did you mean": the known word nearest to an unknown one.

use crate::limits::{NAMES_COMPARED_MAX, NAMES_LISTED_MAX};

/// Longest word, in characters, that is compared: a field name is far shorter, and the comparison is quadratic.
const WORD_CHARS_MAX: usize = 64;

/// Returns `; did you mean "x"?` if a known word is near, or else `; known are a, b, c`; empty if nothing is known.
pub(crate) fn hint<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let known: Vec<&str> = known.into_iter().collect();
    let nearest = known.iter().map(|candidate| (distance(word, candidate), *candidate)).min();
    match nearest {
        None => String::new(),
        Some((distance, candidate)) if distance <= allowance(word) => {
            format!("; did you mean \"{candidate}\"?")
        }
        Some(_) => format!("; known are {}", known.join(", ")),
    }
}

/// Returns `did you mean "x"? there are: x, y, z` of names that people gave, or that there are none. Of many names only
/// the first [`NAMES_COMPARED_MAX`] are compared and [`NAMES_LISTED_MAX`] listed.
pub(crate) fn existing<'a>(word: &str, names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<&str> = names.collect();
    let compared = names.iter().take(NAMES_COMPARED_MAX);
    let Some((distance, nearest)) = compared.map(|name| (distance(word, name), *name)).min() else {
        return "there are none yet".to_owned();
    };
    let hint =
        if distance <= allowance(word) { format!("did you mean \"{nearest}\"? ") } else { String::new() };
    let listed: Vec<&str> = names.iter().copied().take(NAMES_LISTED_MAX).collect();
    let more = match names.len() - listed.len() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("{hint}there are: {}{more}", listed.join(", "))
}

/// One slip in three letters, two in four to six (two letters in the wrong order count two), three in longer ones.
fn allowance(word: &str) -> usize {
    (word.chars().count().saturating_add(2) / 3).clamp(1, 3)
}

/// Counts insertions, deletions and replacements between two words (Levenshtein); case does not count.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.to_lowercase().chars().take(WORD_CHARS_MAX).collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (above, l) in left.to_lowercase().chars().take(WORD_CHARS_MAX + 4).enumerate() {
        let mut next = Vec::with_capacity(row.len());
        let mut last = above + 1;
        next.push(last);
        for (pair, r) in row.windows(2).zip(&right) {
            if let [diagonal, up] = pair {
                last = (diagonal + usize::from(l != *r)).min(up + 1).min(last + 1);
            }
            next.push(last);
        }
        row = next;
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_is_named() {
        let known = ["circuit_breaker", "credentials", "models"];
        assert_eq!(hint("circut_breaker", known), "; did you mean \"circuit_breaker\"?");
        assert_eq!(hint("Models", known), "; did you mean \"models\"?");
        assert_eq!(hint("zone", known), "; known are circuit_breaker, credentials, models");
        assert_eq!(hint("zone", []), "");
    }

    #[test]
    fn of_names_the_nearest_comes_first_and_the_list_is_bounded() {
        let check = |word, names: &[&str], expect| assert_eq!(existing(word, names.iter().copied()), expect);
        check("opnai", &["anthropic", "openai"], "did you mean \"openai\"? there are: anthropic, openai");
        check("zzz", &["anthropic", "openai"], "there are: anthropic, openai");
        check("zzz", &[], "there are none yet");
        let many: Vec<String> = (0..22).map(|number| format!("n{number}")).collect();
        assert!(existing("zzz", many.iter().map(String::as_str)).ends_with("n19 and 2 more"));
    }

    #[test]
    fn distances() {
        let check = |left, right, expect| assert_eq!(distance(left, right), expect, "{left} {right}");
        check("", "abc", 3);
        check("kitten", "sitting", 3);
        check("same", "same", 0);
        check("abc", "", 3);
    }
}
