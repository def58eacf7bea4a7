//! Which mails belong together, before any is read: one pass over headers only. Threads are what References and
//! In-Reply-To join (and Gmail's own thread id); the subject joins nothing.
//!
//! Held for each id: its hash and a few numbers, about 100 bytes. Ids as text are not held.

use evoke_message::stable_hash;
use std::collections::{HashMap, HashSet};

pub(super) type Hash = [u8; 16];

/// There is no mail of this id.
const ABSENT: i64 = i64::MAX;
/// There is one, without a date that can be read.
const UNDATED: i64 = i64::MAX - 1;

/// Knows after the first pass the thread of every mail.
#[derive(Default)]
pub(super) struct Survey {
    ids: HashMap<Hash, u32>,
    /// One for each id: which other one stands for its set. A set is a thread.
    parent: Vec<u32>,
    /// Of the set that an id stands for.
    threads: Vec<Thread>,
    /// One for each id: the `Date` of the earliest mail that has it, [`UNDATED`], or [`ABSENT`].
    dates: Vec<i64>,
    /// Mails of the folder or label “Sent”, by the sender's address.
    sent: HashMap<String, u32>,
}

/// What is known of one thread.
#[derive(Clone, Copy, Debug)]
struct Thread {
    /// When its earliest mail was written, and the first id that this mail names: the root.
    earliest: i64,
    root: Hash,
    mails: u32,
}

/// One mail as the survey sees it.
pub(super) struct Seen<'a> {
    /// Its Message-ID, or what stands for it where it has none.
    pub(super) id: &'a str,
    /// Ids before it in its thread, oldest first.
    pub(super) ancestors: &'a [String],
    /// Gmail's id of the thread.
    pub(super) gmail: Option<&'a str>,
    /// When it was written or arrived.
    pub(super) time: Option<i64>,
    /// Its own `Date`, the same in every copy of it.
    pub(super) date: Option<i64>,
}

fn hash(kind: &str, id: &str) -> Hash {
    stable_hash(&["mail", kind, id])
}

impl Survey {
    pub(super) fn add(&mut self, mail: &Seen) {
        let first = mail.ancestors.first().map_or(mail.id, String::as_str);
        let root = hash("id", first);
        let mut all = self.node(root);
        for id in mail.ancestors.iter().map(String::as_str).chain([mail.id]) {
            let node = self.node(hash("id", id));
            all = self.join(all, node);
        }
        if let Some(gmail) = mail.gmail {
            let node = self.node(hash("gmail", gmail));
            all = self.join(all, node);
        }
        let own = self.node(hash("id", mail.id));
        if let Some(date) = self.dates.get_mut(own as usize) {
            *date = mail.date.unwrap_or(UNDATED).min(*date);
        }
        if let Some(thread) = self.threads.get_mut(all as usize) {
            thread.mails += 1;
            let earliest = mail.time.unwrap_or(i64::MAX);
            if (earliest, root) < (thread.earliest, thread.root) || thread.mails == 1 {
                (thread.earliest, thread.root) = (earliest, root);
            }
        }
    }

    pub(super) fn add_sent(&mut self, address: &str) {
        *self.sent.entry(address.to_owned()).or_default() += 1;
    }

    /// Addresses from which the owner writes: those of many mails in “Sent”, not of one that strayed there.
    pub(super) fn owners(&self) -> HashSet<String> {
        let all: u32 = self.sent.values().sum();
        self.sent.iter().filter(|(_, n)| **n * 20 >= all).map(|(address, _)| address.clone()).collect()
    }

    /// True where a mail of this id is kept.
    pub(super) fn has(&self, id: &str) -> bool {
        self.earliest(id) != ABSENT
    }

    /// True for a mail that uses the id of an older one: some programs give all mails the same.
    pub(super) fn reuses(&self, id: &str, date: Option<i64>) -> bool {
        date.is_some_and(|date| date > self.earliest(id))
    }

    fn earliest(&self, id: &str) -> i64 {
        let node = self.ids.get(&hash("id", id));
        node.and_then(|n| self.dates.get(*n as usize)).copied().unwrap_or(ABSENT)
    }

    /// Key of the thread of a mail, and how many mails it has.
    pub(super) fn thread(&mut self, id: &str) -> Option<(Hash, u32)> {
        let node = *self.ids.get(&hash("id", id))?;
        let top = self.top(node);
        self.threads.get(top as usize).map(|t| (t.root, t.mails))
    }

    fn node(&mut self, id: Hash) -> u32 {
        let next = u32::try_from(self.parent.len()).unwrap_or(u32::MAX);
        let node = *self.ids.entry(id).or_insert(next);
        if node == next {
            self.parent.push(node);
            self.dates.push(ABSENT);
            self.threads.push(Thread { earliest: i64::MAX, root: id, mails: 0 });
        }
        node
    }

    fn top(&mut self, mut node: u32) -> u32 {
        loop {
            let Some(&up) = self.parent.get(node as usize) else { return node };
            if up == node {
                return node;
            }
            let further = self.parent.get(up as usize).copied().unwrap_or(up);
            if let Some(parent) = self.parent.get_mut(node as usize) {
                *parent = further;
            }
            node = further;
        }
    }

    fn join(&mut self, a: u32, b: u32) -> u32 {
        let (a, b) = (self.top(a), self.top(b));
        let (Some(&one), Some(&other)) = (self.threads.get(a as usize), self.threads.get(b as usize)) else { return a };
        if a == b {
            return a;
        }
        let (small, large) = if one.mails < other.mails { (a, b) } else { (b, a) };
        if let Some(parent) = self.parent.get_mut(small as usize) {
            *parent = large;
        }
        // A set without mails has no root to offer.
        let rooted = |t: Thread| (t.mails == 0, t.earliest, t.root);
        let first = if rooted(one) <= rooted(other) { one } else { other };
        if let Some(thread) = self.threads.get_mut(large as usize) {
            *thread = Thread { earliest: first.earliest, root: first.root, mails: one.mails + other.mails };
        }
        large
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Mail = (&'static str, &'static [&'static str], i64);

    fn threads(mails: &[Mail]) -> Vec<Hash> {
        let mut survey = Survey::default();
        for (id, ancestors, time) in mails {
            let ancestors: Vec<String> = ancestors.iter().map(|a| (*a).to_owned()).collect();
            survey.add(&Seen { id, ancestors: &ancestors, gmail: None, time: Some(*time), date: Some(*time) });
        }
        mails.iter().map(|(id, ..)| survey.thread(id).unwrap().0).collect()
    }

    #[test]
    fn a_mail_that_names_two_threads_joins_them_in_any_order() {
        let mails: [Mail; 5] =
            [("a", &[], 1), ("b", &["a"], 2), ("c", &[], 3), ("d", &["c"], 4), ("e", &["b", "d"], 5)];
        let mut orders = vec![mails.to_vec(), mails.iter().rev().copied().collect()];
        orders.push([mails[4], mails[0], mails[3], mails[1], mails[2]].to_vec());
        for order in orders {
            assert!(threads(&order).iter().all(|t| *t == hash("id", "a")), "{order:?}");
        }
        assert_eq!(threads(&mails[..4]).iter().collect::<HashSet<_>>().len(), 2);
    }

    #[test]
    fn the_root_is_named_though_its_mail_is_missing() {
        assert_eq!(threads(&[("c", &["a", "b"], 3), ("d", &["a", "x"], 4)]), [hash("id", "a"); 2]);
    }
}
