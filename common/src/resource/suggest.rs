//! What exists, for those who named what does not.

use crate::limits::NAMES_LISTED_MAX;

/// Characters of a name that are compared; the comparison is quadratic.
const COMPARED_CHARS_MAX: usize = 64;

/// Returns `did you mean "x"? there are: x, y, z`, or that there are none.
pub(super) fn existing<'a>(word: &str, names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<&str> = names.collect();
    let Some((distance, nearest)) = names.iter().map(|name| (distance(word, name), *name)).min() else {
        return "there are none yet".to_owned();
    };
    let mut text = String::new();
    if distance <= (word.chars().count() / 3).clamp(1, 3) {
        text = format!("did you mean \"{nearest}\"? ");
    }
    let listed: Vec<&str> = names.iter().copied().take(NAMES_LISTED_MAX).collect();
    text.push_str(&format!("there are: {}", listed.join(", ")));
    if let Some(more @ 1..) = names.len().checked_sub(listed.len()) {
        text.push_str(&format!(" and {more} more"));
    }
    text
}

/// Counts insertions, deletions and replacements between two words (Levenshtein).
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().take(COMPARED_CHARS_MAX).collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (above, l) in left.chars().take(COMPARED_CHARS_MAX).enumerate() {
        let mut last = above + 1;
        let mut next = vec![last];
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
    fn the_nearest_comes_first_and_the_list_is_bounded() {
        let check = |word, names: &[&str], expect| assert_eq!(existing(word, names.iter().copied()), expect);
        check("opnai", &["anthropic", "openai"], "did you mean \"openai\"? there are: anthropic, openai");
        check("zzz", &["anthropic", "openai"], "there are: anthropic, openai");
        check("zzz", &[], "there are none yet");
        let many: Vec<String> = (0..22).map(|number| format!("n{number}")).collect();
        assert!(existing("zzz", many.iter().map(String::as_str)).ends_with("n19 and 2 more"));
    }
}
