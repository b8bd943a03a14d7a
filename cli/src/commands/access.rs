//! `keys` and `tokens`. A new secret goes to stdout, and only once.

use serde_json::{Map, Value, json};

use super::{Context, list, part, text};
use crate::{
    args::{KeysCommand, TokensCommand},
    failure::Failure,
    table::{Table, card},
};

pub(super) async fn keys(context: &Context, command: KeysCommand) -> Result<(), Failure> {
    let mut client = context.connect().await?;
    match command {
        KeysCommand::Create { tenant, attributes, ttl, write } => {
            let id = write.id()?;
            let attributes: Map<String, Value> =
                attributes.into_iter().map(|(name, value)| (name, Value::String(value))).collect();
            let request = json!({"tenant": tenant, "attributes": attributes,
                "ttl": ttl.unwrap_or_default(), "request_id": id});
            new_key(context, &client.write("KeyService", "CreateKey", &request, &id).await?);
        }
        KeysCommand::Rotate { id: key, grace, write } => {
            let id = write.id()?;
            let request = json!({"id": key, "grace": grace.unwrap_or_default(), "request_id": id});
            new_key(context, &client.write("KeyService", "RotateKey", &request, &id).await?);
        }
        KeysCommand::Revoke { id: key, write } => {
            let id = write.id()?;
            let reply =
                client.write("KeyService", "RevokeKey", &json!({"id": key, "request_id": id}), &id).await?;
            context.output.data(&reply, || card(&state(&reply)));
        }
        KeysCommand::List { tenant } => {
            let request = json!({"tenant": tenant.unwrap_or_default()});
            let reply = client.read("KeyService", "ListKeys", &request).await?;
            let mut table = Table::new(&["ID", "TENANT", "STATE", "CREATED", "EXPIRES", "ATTRIBUTES"]);
            for key in list(&reply, "keys") {
                let cells = ["/id", "/tenant", "/state", "/create_time", "/expire_time", "/attributes"];
                table.row(cells.map(|pointer| text(key, pointer)));
            }
            context.output.rows(part(&reply, "keys"), &table);
        }
    }
    Ok(())
}

pub(super) async fn tokens(context: &Context, command: TokensCommand) -> Result<(), Failure> {
    let mut client = context.connect().await?;
    match command {
        TokensCommand::Create { subject, role, write } => {
            let id = write.id()?;
            let request = json!({"subject": subject, "role": role, "request_id": id});
            let reply = client.write("TokenService", "CreateToken", &request, &id).await?;
            context.output.data(&reply, || {
                card(&[
                    ("token", text(&reply, "/secret")),
                    ("id", text(&reply, "/token/id")),
                    ("subject", text(&reply, "/token/subject")),
                    ("role", text(&reply, "/token/role")),
                    ("ledger record", text(&reply, "/ledger_index")),
                ])
            });
            context.output.talk("keep the token now: it is not stored and not shown again");
        }
        TokensCommand::Revoke { id: token, write } => {
            let id = write.id()?;
            let request = json!({"id": token, "request_id": id});
            let reply = client.write("TokenService", "RevokeToken", &request, &id).await?;
            context.output.data(&reply, || card(&state(&reply)));
        }
        TokensCommand::List => {
            let reply = client.read("TokenService", "ListTokens", &json!({})).await?;
            let mut table = Table::new(&["ID", "SUBJECT", "ROLE", "STATE", "CREATED"]);
            for token in list(&reply, "tokens") {
                let cells = ["/id", "/subject", "/role", "/state", "/create_time"];
                table.row(cells.map(|pointer| text(token, pointer)));
            }
            context.output.rows(part(&reply, "tokens"), &table);
        }
    }
    Ok(())
}

fn new_key(context: &Context, reply: &Value) {
    context.output.data(reply, || {
        card(&[
            ("api key", text(reply, "/api_key")),
            ("id", text(reply, "/key/id")),
            ("tenant", text(reply, "/key/tenant")),
            ("attributes", text(reply, "/key/attributes")),
            ("expires", text(reply, "/key/expire_time")),
            ("ledger record", text(reply, "/ledger_index")),
        ])
    });
    context.output.talk("keep the key now: it is not stored and not shown again");
}

fn state(reply: &Value) -> [(&'static str, String); 3] {
    [("id", text(reply, "/id")), ("state", text(reply, "/state")), ("revision", text(reply, "/revision"))]
}
