//! The importers through their one public door, `read`: fixtures, damage, hostile containers.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod agents;
mod attached;
mod chats;
mod claims;
mod containers;
mod damage;
mod documents;
mod fixtures;
mod fuzz;
mod hostile;
mod mail;
mod notes;
mod phones;
mod reading;
mod web;
