//! API keys of tenants.

use std::time::Duration;

use breakwater_common::error_kind::ErrorKind;
use breakwater_common::resource::quantity;
use breakwater_common::time::UnixMillis;
use breakwater_common::violation::Violation;
use breakwater_control_core::{Action, Command, CreateKey, Key, Replaces};
use breakwater_proto::v1::key_service_server::KeyService;
use breakwater_proto::v1::{
    self as pb, CreateKeyRequest, CreateKeyResponse, ListKeysRequest, ListKeysResponse, RevokeKeyRequest,
    RotateKeyRequest,
};
use tonic::{Request, Response, Status};

use super::message::{caller, checked, timestamp};
use super::status::{from_admin, plain, refused};
use crate::admin::{Admin, Ask};
use crate::caller::{Caller, mint_key};

#[derive(Debug)]
pub(super) struct Keys {
    pub(super) admin: Admin,
}

#[tonic::async_trait]
impl KeyService for Keys {
    async fn create_key(
        &self,
        request: Request<CreateKeyRequest>,
    ) -> Result<Response<CreateKeyResponse>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        checked("CreateKeyRequest", &request)?;
        let expire = duration("ttl", &request.ttl)?.map(|ttl| later(self.admin.now(), ttl));
        let make = |id, sha256| CreateKey {
            id,
            sha256,
            tenant: request.tenant.clone(),
            attributes: request.attributes.clone(),
            expire,
            replaces: None,
        };
        self.create(&caller, request.request_id.clone(), make).await
    }

    async fn list_keys(
        &self,
        request: Request<ListKeysRequest>,
    ) -> Result<Response<ListKeysResponse>, Status> {
        let caller = caller(&request)?;
        let state = self.admin.read(&caller.principal, Action::ReadKeys).map_err(from_admin)?;
        let now = self.admin.now();
        let keys = state.keys_of(&request.get_ref().tenant).map(|key| key_of(key, now)).collect();
        Ok(Response::new(ListKeysResponse { keys }))
    }

    async fn revoke_key(&self, request: Request<RevokeKeyRequest>) -> Result<Response<pb::Key>, Status> {
        let caller = caller(&request)?;
        let RevokeKeyRequest { id, request_id } = request.into_inner();
        let command = Command::RevokeKey { id: id.clone() };
        let ask = Ask {
            principal: caller.principal,
            request_id,
            request_digest: None,
            validate_only: false,
            command,
        };
        self.admin.submit(ask).await.map_err(from_admin)?;
        self.key(&id).map(Response::new)
    }

    async fn rotate_key(
        &self,
        request: Request<RotateKeyRequest>,
    ) -> Result<Response<CreateKeyResponse>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        checked("RotateKeyRequest", &request)?;
        let state = self.admin.read(&caller.principal, Action::WriteKeys).map_err(from_admin)?;
        let Some(old) = state.key(&request.id) else { return Err(no_key(&request.id)) };
        let now = self.admin.now();
        let grace = duration("grace", &request.grace)?.unwrap_or_default();
        let make = |id, sha256| CreateKey {
            id,
            sha256,
            tenant: old.made.tenant.clone(),
            attributes: old.made.attributes.clone(),
            expire: old.expire,
            replaces: Some(Replaces { id: old.made.id.clone(), expire: later(now, grace) }),
        };
        self.create(&caller, request.request_id.clone(), make).await
    }
}

impl Keys {
    async fn create(
        &self,
        caller: &Caller,
        request_id: String,
        make: impl FnOnce(String, [u8; 32]) -> CreateKey,
    ) -> Result<Response<CreateKeyResponse>, Status> {
        let minted = mint_key().map_err(|error| plain(ErrorKind::Internal, &error.to_string()))?;
        let command = Command::CreateKey(make(minted.id.clone(), minted.sha256));
        let ask = Ask {
            principal: caller.principal.clone(),
            request_id,
            request_digest: None,
            validate_only: false,
            command,
        };
        let receipt = self.admin.submit(ask).await.map_err(from_admin)?;
        Ok(Response::new(CreateKeyResponse {
            key: Some(self.key(&minted.id)?),
            api_key: minted.text,
            ledger_index: receipt.ledger_index.unwrap_or_default(),
        }))
    }

    fn key(&self, id: &str) -> Result<pb::Key, Status> {
        let state = self.admin.state();
        state.key(id).map(|key| key_of(key, self.admin.now())).ok_or_else(|| no_key(id))
    }
}

fn key_of(key: &Key, now: UnixMillis) -> pb::Key {
    let state = match (key.revoked, key.is_active(now)) {
        (true, _) => "revoked",
        (false, true) => "active",
        (false, false) => "expired",
    };
    pb::Key {
        id: key.made.id.clone(),
        tenant: key.made.tenant.clone(),
        attributes: key.made.attributes.clone(),
        create_time: Some(timestamp(key.create)),
        expire_time: key.expire.map(timestamp),
        state: state.to_owned(),
        revision: key.revision,
    }
}

fn no_key(id: &str) -> Status {
    let id: String = id.chars().take(32).collect();
    plain(ErrorKind::NotFound, &format!("there is no key {id:?}"))
}

fn duration(field: &str, text: &str) -> Result<Option<Duration>, Status> {
    if text.is_empty() {
        return Ok(None);
    }
    let violation = |error: quantity::QuantityError| Violation::at(field, error.to_string());
    quantity::duration(text)
        .map(Some)
        .map_err(|error| refused(ErrorKind::InvalidArgument, &[violation(error)]))
}

fn later(now: UnixMillis, by: Duration) -> UnixMillis {
    UnixMillis(now.0.saturating_add(u64::try_from(by.as_millis()).unwrap_or(u64::MAX)))
}
