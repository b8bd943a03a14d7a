//! Tokens for the control plane.

use breakwater_common::error_kind::ErrorKind;
use breakwater_common::violation::Violation;
use breakwater_control_core::{Action, Command, CreateToken, Role, Token};
use breakwater_proto::v1::token_service_server::TokenService;
use breakwater_proto::v1::{
    self as pb, CreateTokenRequest, CreateTokenResponse, ListTokensRequest, ListTokensResponse,
    RevokeTokenRequest,
};
use tonic::{Request, Response, Status};

use super::message::{caller, checked, timestamp};
use super::status::{from_admin, plain, refused};
use crate::admin::{Admin, Ask};
use crate::caller::mint_token;

#[derive(Debug)]
pub(super) struct Tokens {
    pub(super) admin: Admin,
}

#[tonic::async_trait]
impl TokenService for Tokens {
    async fn create_token(
        &self,
        request: Request<CreateTokenRequest>,
    ) -> Result<Response<CreateTokenResponse>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        checked("CreateTokenRequest", &request)?;
        let Some(role) = Role::parse(&request.role).filter(|role| *role != Role::System) else {
            return Err(refused(
                ErrorKind::InvalidArgument,
                &[Violation::at("role", "is not a role of tokens")],
            ));
        };
        let minted = mint_token().map_err(|error| plain(ErrorKind::Internal, &error.to_string()))?;
        let made =
            CreateToken { id: minted.id.clone(), sha256: minted.sha256, subject: request.subject, role };
        let ask = Ask {
            principal: caller.principal,
            request_id: request.request_id,
            request_digest: None,
            validate_only: false,
            command: Command::CreateToken(made),
        };
        let receipt = self.admin.submit(ask).await.map_err(from_admin)?;
        Ok(Response::new(CreateTokenResponse {
            token: Some(self.token(&minted.id)?),
            secret: minted.text,
            ledger_index: receipt.ledger_index.unwrap_or_default(),
        }))
    }

    async fn list_tokens(
        &self,
        request: Request<ListTokensRequest>,
    ) -> Result<Response<ListTokensResponse>, Status> {
        let caller = caller(&request)?;
        let state = self.admin.read(&caller.principal, Action::ReadTokens).map_err(from_admin)?;
        let tokens = state.tokens().map(|token| token_of(token)).collect();
        Ok(Response::new(ListTokensResponse { tokens }))
    }

    async fn revoke_token(
        &self,
        request: Request<RevokeTokenRequest>,
    ) -> Result<Response<pb::Token>, Status> {
        let caller = caller(&request)?;
        let RevokeTokenRequest { id, request_id } = request.into_inner();
        let command = Command::RevokeToken { id: id.clone() };
        let ask = Ask {
            principal: caller.principal,
            request_id,
            request_digest: None,
            validate_only: false,
            command,
        };
        self.admin.submit(ask).await.map_err(from_admin)?;
        self.token(&id).map(Response::new)
    }
}

impl Tokens {
    fn token(&self, id: &str) -> Result<pb::Token, Status> {
        let state = self.admin.state();
        let found = state.token(id).map(|token| token_of(token));
        found.ok_or_else(|| plain(ErrorKind::NotFound, "there is no such token"))
    }
}

fn token_of(token: &Token) -> pb::Token {
    pb::Token {
        id: token.made.id.clone(),
        subject: token.made.subject.clone(),
        role: token.made.role.as_str().to_owned(),
        create_time: Some(timestamp(token.create)),
        state: if token.revoked { "revoked" } else { "active" }.to_owned(),
        revision: token.revision,
    }
}
