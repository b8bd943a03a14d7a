//! The conversation for a vendor that demands that the caller and the model speak in turn, and the caller last.

use std::borrow::Cow;

use super::read_request::wrong;
use crate::ir::{Refused, Request, Role, Turn};
use crate::quirks::Quirks;

/// Returns the turns as the vendor takes them: as they are, or one for all that one side says in a row. An instruction in the
/// middle is the caller's.
pub(super) fn turns<'a>(request: &'a Request, quirks: &Quirks) -> Result<Cow<'a, [Turn]>, Refused> {
    if !quirks.alternate {
        return Ok(Cow::Borrowed(&request.turns));
    }
    let mut turns: Vec<Turn> = Vec::with_capacity(request.turns.len());
    for turn in &request.turns {
        let role = if turn.role == Role::System { Role::User } else { turn.role };
        match turns.last_mut().filter(|last| last.role == role) {
            Some(last) => last.blocks.extend(turn.blocks.iter().cloned()),
            None => turns.push(Turn { role, blocks: turn.blocks.clone() }),
        }
    }
    match turns.last() {
        Some(last) if last.role == Role::Assistant => {
            Err(wrong("messages", "must not end with an answer of this model"))
        }
        Some(_) | None => Ok(Cow::Owned(turns)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ir::Block;
    use crate::quirks::{PLAIN, of_host};
    use breakwater_common::resource::ProviderType;

    fn request(roles: &[Role]) -> Request {
        let turn =
            |(at, role): (usize, &Role)| Turn { role: *role, blocks: vec![Block::text(at.to_string())] };
        Request { turns: roles.iter().enumerate().map(turn).collect(), ..Request::default() }
    }

    #[test]
    fn who_speaks_in_a_row_speaks_once_where_the_vendor_demands_it() {
        use Role::{Assistant, System, User};
        let perplexity = of_host(ProviderType::OpenAiCompatible, "api.perplexity.ai");
        let asked = request(&[User, User, Assistant, Assistant, System, User]);
        let taken = turns(&asked, perplexity).unwrap();
        let said: Vec<_> = taken.iter().map(|turn| (turn.role, turn.blocks.len())).collect();
        assert_eq!(said, [(User, 2), (Assistant, 2), (User, 2)]);
        assert_eq!(turns(&asked, &PLAIN).unwrap().len(), 6);
        let prefilled = request(&[User, Assistant]);
        assert_eq!(turns(&prefilled, perplexity).unwrap_err().param, "messages");
        assert!(turns(&prefilled, &PLAIN).is_ok());
    }
}
