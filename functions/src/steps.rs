//! One file is one step, in four sections: what it does and how it is undone, Input and Output, `run`, the rest.

pub(crate) mod ask_approval;
pub(crate) mod back_up;
pub(crate) mod begin;
pub(crate) mod commit;
pub(crate) mod configure;
pub(crate) mod create_from_snapshot;
pub(crate) mod delete;
pub(crate) mod finish;
pub(crate) mod image_member;
pub(crate) mod observe;
pub(crate) mod quiet_hour;
pub(crate) mod resume;
pub(crate) mod retag;
pub(crate) mod scale;
pub(crate) mod snapshot;
pub(crate) mod start;
pub(crate) mod stop;
pub(crate) mod sync_tags;
pub(crate) mod verify;

mod joined;
mod members;
mod observation;
mod wait;
