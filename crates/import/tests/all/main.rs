//! The importers through their one public door, `read`: fixtures, damage, hostile containers.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod damage;
mod fixtures;
mod hostile;
mod notes;
mod reading;
