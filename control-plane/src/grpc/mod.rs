//! The gRPC API: wire to domain, then through the door. Every service of the port is mounted here; REST goes through the
//! same ones.

mod codec;
mod fleet;
mod keys;
mod ledger;
mod message;
mod proxy;
mod reroute;
mod resources;
mod router;
pub(crate) mod status;
mod system;
mod tokens;

use std::sync::Arc;

use breakwater_common::limits::ADMIN_BODY_BYTES_MAX;
use breakwater_control_core::Act;
use breakwater_proto::DESCRIPTOR_SET;
use breakwater_proto::v1::CallExplanation;
use breakwater_proto::v1::fleet_service_server::FleetServiceServer;
use breakwater_proto::v1::key_service_server::KeyServiceServer;
use breakwater_proto::v1::ledger_service_server::LedgerServiceServer;
use breakwater_proto::v1::proxy_service_server::ProxyServiceServer;
use breakwater_proto::v1::reroute_service_server::RerouteServiceServer;
use breakwater_proto::v1::system_service_server::SystemServiceServer;
use breakwater_proto::v1::token_service_server::TokenServiceServer;
use breakwater_runtime::Tasks;
use tonic_health::server::HealthReporter;

use crate::admin::Admin;
use crate::fleet::{ActsSink, Explainer, Registry};
use crate::ledger::Ledger;
use crate::publish::Publisher;
use crate::replica::Replica;
use crate::seal::Sealer;

pub(crate) use fleet::provider_views;
pub use router::Router;

/// What the services need.
#[derive(Debug, Clone)]
pub struct Services {
    /// The door.
    pub admin: Admin,
    /// For status alone; changes go through the door.
    pub replica: Arc<dyn Replica>,
    /// Seals secrets.
    pub sealer: Arc<Sealer>,
    /// The ledger.
    pub ledger: Ledger,
    /// Streams to proxies.
    pub publisher: Publisher,
    /// What proxies reported.
    pub registry: Arc<Registry>,
    /// Asks proxies about calls.
    pub explainer: Explainer<CallExplanation>,
    /// Takes acts of proxies to the ledger.
    pub acts: ActsSink<Act>,
    /// Runs the streams.
    pub tasks: Tasks,
}

impl Services {
    /// Mounts all services, with health and reflection (v1 and v1alpha).
    pub fn router(self, health: &HealthReporter) -> Result<Router, tonic_reflection::server::Error> {
        let admin = &self.admin;
        let resources = resources::Resources {
            admin: admin.clone(),
            sealer: self.sealer.clone(),
            tasks: self.tasks.clone(),
        };
        let reroutes = reroute::Reroutes {
            admin: admin.clone(),
            resources: resources.clone(),
            book: self.publisher.book().clone(),
        };
        let keys = KeyServiceServer::new(keys::Keys { admin: admin.clone() });
        let tokens = TokenServiceServer::new(tokens::Tokens { admin: admin.clone() });
        let ledger = ledger::Records { admin: admin.clone(), ledger: self.ledger };
        let system = system::System { admin: admin.clone(), replica: self.replica };
        let fleet = fleet::Fleet {
            admin: admin.clone(),
            registry: self.registry.clone(),
            book: self.publisher.book().clone(),
            explainer: self.explainer.clone(),
        };
        let proxies = proxy::Proxies {
            admin: self.admin,
            publisher: self.publisher,
            registry: self.registry,
            explainer: self.explainer,
            acts: self.acts,
            tasks: self.tasks,
        };
        let reflection = || {
            tonic_reflection::server::Builder::configure()
                .register_encoded_file_descriptor_set(DESCRIPTOR_SET)
                .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        };
        let health = tonic_health::server::HealthService::from_health_reporter(health.clone());
        let builder = resources::mount(router::Builder::default(), &resources)
            .add(keys.max_decoding_message_size(ADMIN_BODY_BYTES_MAX))
            .add(tokens.max_decoding_message_size(ADMIN_BODY_BYTES_MAX))
            .add(LedgerServiceServer::new(ledger).max_decoding_message_size(ADMIN_BODY_BYTES_MAX))
            .add(SystemServiceServer::new(system).max_decoding_message_size(ADMIN_BODY_BYTES_MAX))
            .add(FleetServiceServer::new(fleet).max_decoding_message_size(ADMIN_BODY_BYTES_MAX))
            .add(RerouteServiceServer::new(reroutes).max_decoding_message_size(ADMIN_BODY_BYTES_MAX))
            .add(ProxyServiceServer::new(proxies))
            .add(tonic_health::pb::health_server::HealthServer::new(health))
            .add(reflection().build_v1()?)
            .add(reflection().build_v1alpha()?);
        Ok(builder.build())
    }
}
