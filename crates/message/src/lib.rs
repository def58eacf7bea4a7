//! What Evoke remembers and what can be asked of it: plain data, no IO.
//!
//! Every crate and every door speaks these words. How an export becomes a `Message` is left to
//! `evoke-import`, how rows are kept to `evoke-store`, what a person can do to `evoke-memory`.

mod call;
mod computer;
mod filter;
mod hit;
mod id;
mod message;
mod people;
mod receipt;
mod status;
mod text;
mod timeline;

pub use call::{Call, Reply, Trouble};
pub use computer::{Discovered, WatchedKind, WatchedRow};
pub use filter::{Company, Filter, Query, Sort};
pub use hit::{Chip, Facet, Facets, FileShown, Found, Hit, Mode, Offer, Page, Range, Shown, Why};
pub use id::{ConversationId, MessageId, PersonId, stable_hash};
pub use message::{
    Attachment, Contact, Conversation, ConversationKind, Document, Has, Kind, Message, Part, Place, Reaction, Role,
    Sender,
};
pub use people::{Evidence, EvidenceKind, Guess, Identity, Month, PersonPage, Suggestion, WhoIsMe};
pub use receipt::{
    Broken, DryRun, Duplicate, Forgotten, ImportShown, Job, JobState, Lost, Provenance, Reason, Receipt, Stage, Stages,
    Target,
};
pub use status::{
    Archive, ConversationRow, Coverage, Index, ModelRow, Network, PersonRow, Protection, SourceRow, Status,
};
pub use text::{fold, normalise};
pub use timeline::{Bucket, Cluster, Day, OtherYear, Span, Timeline, Unit};
