//! "Did you mean": the known word nearest to an unknown one.

/// Longest word, in characters, that is compared: a field name is far shorter, and the comparison is quadratic.
const WORD_CHARS_MAX: usize = 64;

/// Returns `; did you mean "x"?` if a known word is near, or else `; known are a, b, c`; empty if nothing is known.
pub(super) fn hint<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> String {
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
    fn distances() {
        let check = |left, right, expect| assert_eq!(distance(left, right), expect, "{left} {right}");
        check("", "abc", 3);
        check("kitten", "sitting", 3);
        check("same", "same", 0);
        check("abc", "", 3);
    }
}
