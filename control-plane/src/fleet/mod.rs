//! The proxies as operators see them: what each reported last, for 10 minutes after it fell silent. Soft state: it is
//! whole again one report interval after a restart. It may import nothing of the other rooms.

mod acts;
mod explain;
mod registry;
mod view;

pub use acts::{Acts, ActsSink};
pub use explain::{ExplainError, Explainer, Questions};
pub use registry::{Credential, Deployment, Proxy, Registry, Report, Upstream};
pub use view::{BreakerState, ProviderView, ProxyBreaker, providers};
