//! Within one format: what a caller sends and what comes back.

use std::sync::Arc;

use breakwater_common::guard::CompiledGuards;
use breakwater_common::resource::{Action, Guardrail, GuardrailCheck, Mode, PiiEntity, Policy, Sides};
use breakwater_dialect::exchange::{self, Exchange};
use breakwater_dialect::ir::Usage;
use breakwater_dialect::pass::Asked;
use breakwater_dialect::{Ending, Format, StreamFault};
use bytes::{Bytes, BytesMut};

use crate::{Kind, assert_json, caller, take, target};

/// Feeds an input to the way within a format. Its first byte says which: a place in [`Format::ALL`] as a digit.
pub fn feed(data: &[u8]) {
    let Some((format, rest)) = data.split_first() else { return };
    let format = Format::ALL[usize::from(*format).saturating_sub(48) % Format::ALL.len()];
    match take(rest) {
        Some((Kind::Request, body)) => request(format, &Bytes::copy_from_slice(body)),
        Some((Kind::Reply, body)) => {
            let body = Bytes::copy_from_slice(body);
            for guards in [None, Some(guards())] {
                if let Ok(reply) = exchange(format, guards).reply(&body) {
                    assert_json(&format!("reply within {}", format.as_str()), &reply.body);
                }
            }
        }
        Some((Kind::Stream(size), body)) => {
            for guards in [None, Some(guards())] {
                stream(format, guards, size, body);
            }
        }
        None => {}
    }
}

fn request(format: Format, body: &Bytes) {
    for model in [None, Some("in-the-path".to_owned())] {
        let asked = Asked { format, model, stream: None };
        let Ok(call) = exchange::parse(asked, body) else { continue };
        let inspection = call.inspect(&guards());
        for redactions in [&[][..], &inspection.redactions] {
            if let Ok(prepared) = exchange::prepare(&call, redactions, &target(format)) {
                assert_json(&format!("request within {}", format.as_str()), &prepared.body);
            }
        }
    }
}

fn exchange(format: Format, guards: Option<Arc<CompiledGuards>>) -> Exchange {
    Exchange { client: format, provider: format, caller: caller(), guards, embeddings: None }
}

fn stream(format: Format, guards: Option<Arc<CompiledGuards>>, size: usize, body: &[u8]) {
    let exchange = exchange(format, guards);
    match (play(&exchange, [body].into_iter()), play(&exchange, body.chunks(size))) {
        (Ok(whole), Ok(cut)) => {
            assert_eq!((whole.1, whole.2), (cut.1, cut.2), "stream within {}", format.as_str());
            assert!(
                whole.0 == cut.0,
                "stream within {}:\n{}\n--- cut:\n{}",
                format.as_str(),
                String::from_utf8_lossy(&whole.0),
                String::from_utf8_lossy(&cut.0)
            );
        }
        (whole, cut) => assert_eq!(whole.err(), cut.err(), "stream within {}", format.as_str()),
    }
}

type Played = Result<(BytesMut, Ending, Option<Usage>), StreamFault>;

fn play<'a>(exchange: &Exchange, pieces: impl Iterator<Item = &'a [u8]>) -> Played {
    let Some(mut answer) = exchange.stream() else { return Err(StreamFault::Empty) };
    let mut out = BytesMut::new();
    for piece in pieces {
        let step = answer.push(piece)?;
        out.extend_from_slice(&step.bytes);
        if step.over {
            break;
        }
    }
    let end = answer.finish();
    out.extend_from_slice(&end.bytes);
    Ok((out, end.ending, end.usage))
}

fn guards() -> Arc<CompiledGuards> {
    let guardrail = |name: &str, check, action| Guardrail {
        name: name.to_owned(),
        check,
        sides: Sides { input: true, output: true },
        action,
        fail_open: false,
    };
    let guardrails = vec![
        guardrail("pii", GuardrailCheck::Pii(PiiEntity::ALL.to_vec()), Action::Redact),
        guardrail("secrets", GuardrailCheck::Secrets, Action::Block),
    ];
    let policy = Policy { mode: Mode::Enforce, guardrails };
    Arc::new(CompiledGuards::compile(&[("p", &policy)]).expect("a sound policy"))
}
