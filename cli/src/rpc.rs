//! Calls by descriptor: any unary RPC of `breakwater.v1` by its service and method, JSON in and JSON out, so that the
//! command line shows the same shapes as REST and needs no code per message.

use breakwater_common::manifest::{message_from_json, message_to_json};
use breakwater_proto::DESCRIPTORS;
use prost::Message;
use prost_reflect::{DynamicMessage, MessageDescriptor, MethodDescriptor};
use serde_json::Value;
use tonic::{
    Status,
    codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
};

use crate::failure::Failure;

/// One RPC, found.
#[derive(Debug, Clone)]
pub struct Method(MethodDescriptor);

/// Encodes and decodes messages by descriptor.
#[derive(Debug, Clone)]
pub struct DynamicCodec {
    output: MessageDescriptor,
}

impl Method {
    /// Finds an RPC of `breakwater.v1`: `Method::find("LedgerService", "GetProof")`.
    ///
    /// Errors: none of that name, which is a defect of ours.
    pub fn find(service: &str, method: &str) -> Result<Self, Failure> {
        let missing = || Failure::failed(format!("this release has no RPC {service}/{method}"));
        let service =
            DESCRIPTORS.get_service_by_name(&format!("breakwater.v1.{service}")).ok_or_else(missing)?;
        service.methods().find(|found| found.name() == method).map(Self).ok_or_else(missing)
    }

    /// Reads the request from JSON.
    pub fn request(&self, json: &Value) -> Result<DynamicMessage, Failure> {
        message_from_json(&self.0.input(), json).map_err(|violations| {
            let lines = violations.iter().map(ToString::to_string);
            Failure { exit: crate::failure::Exit::Usage, lines: lines.collect() }
        })
    }

    /// Returns the request's descriptor.
    #[must_use]
    pub fn input(&self) -> MessageDescriptor {
        self.0.input()
    }

    /// Returns the HTTP/2 path.
    #[must_use]
    pub fn path(&self) -> String {
        format!("/{}/{}", self.0.parent_service().full_name(), self.0.name())
    }

    /// Returns the codec of its messages.
    #[must_use]
    pub fn codec(&self) -> DynamicCodec {
        DynamicCodec { output: self.0.output() }
    }
}

/// Writes a reply as JSON.
#[must_use]
pub fn to_json(reply: &DynamicMessage) -> Value {
    message_to_json(reply)
}

impl Codec for DynamicCodec {
    type Encode = DynamicMessage;
    type Decode = DynamicMessage;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        self.clone()
    }

    fn decoder(&mut self) -> Self {
        self.clone()
    }
}

impl Encoder for DynamicCodec {
    type Item = DynamicMessage;
    type Error = Status;

    fn encode(&mut self, message: DynamicMessage, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        message.encode(buffer).map_err(|error| Status::internal(error.to_string()))
    }
}

impl Decoder for DynamicCodec {
    type Item = DynamicMessage;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<DynamicMessage>, Status> {
        let message = DynamicMessage::decode(self.output.clone(), buffer);
        message.map(Some).map_err(|error| Status::internal(format!("the reply does not decode: {error}")))
    }
}
