//! Which identities are one person, worked out from what somebody said of them.
//!
//! A merge is a record of its own and changes no message: taking it back leaves everything as it was.

use evoke_message::PersonId;
use evoke_store::{MergeRow, PersonRow};
use std::collections::{BTreeSet, HashMap};

/// Identities by the person they belong to. Who is in no group is a person alone.
#[derive(Default)]
pub(crate) struct Groups {
    heads: HashMap<PersonId, PersonId>,
    members: HashMap<PersonId, Vec<PersonId>>,
}

impl Groups {
    /// From the merges, and from who is known to be the owner.
    pub(crate) fn new<'a>(merges: &[MergeRow], people: impl Iterator<Item = &'a PersonRow>) -> Groups {
        let mut sets: Vec<(PersonId, BTreeSet<PersonId>)> = Vec::new();
        let me = PersonId::me();
        let owner: BTreeSet<PersonId> = people.filter(|p| p.me).map(|p| p.id).chain([me]).collect();
        join(&mut sets, me, owner);
        // The largest first: its first stands for all.
        let mut merges: Vec<&MergeRow> = merges.iter().filter(|m| m.same).collect();
        merges.sort_by_key(|m| (std::cmp::Reverse(m.people.len()), &m.people));
        for merge in merges {
            if let Some(head) = merge.people.first() {
                join(&mut sets, *head, merge.people.iter().copied().collect());
            }
        }
        let mut groups = Groups::default();
        for (head, set) in sets {
            let head = if set.contains(&me) { me } else { head };
            groups.heads.extend(set.iter().map(|id| (*id, head)));
            groups.members.insert(head, set.into_iter().collect());
        }
        groups
    }

    pub(crate) fn head(&self, id: PersonId) -> PersonId {
        self.heads.get(&id).copied().unwrap_or(id)
    }

    pub(crate) fn members(&self, id: PersonId) -> Vec<PersonId> {
        self.members.get(&self.head(id)).cloned().unwrap_or_else(|| vec![id])
    }
}

/// Adds a set to those that share somebody with it.
fn join(sets: &mut Vec<(PersonId, BTreeSet<PersonId>)>, head: PersonId, mut set: BTreeSet<PersonId>) {
    let mut first = None;
    sets.retain(|(other, there)| {
        let apart = there.is_disjoint(&set);
        if !apart {
            first.get_or_insert(*other);
            set.extend(there);
        }
        apart
    });
    sets.push((first.unwrap_or(head), set));
}

/// The merges without one identity. What is left of one is gone where another says as much; the others stay as
/// they are, so that taking back the last merge gives what was before it.
pub(crate) fn without(merges: &[MergeRow], identity: PersonId) -> Vec<MergeRow> {
    let (named, mut all): (Vec<&MergeRow>, Vec<MergeRow>) =
        merges.iter().fold(Default::default(), |(mut a, mut b), m| {
            if m.same && m.people.contains(&identity) {
                a.push(m)
            } else {
                b.push(m.clone())
            }
            (a, b)
        });
    let mut named: Vec<Vec<PersonId>> =
        named.iter().map(|m| m.people.iter().copied().filter(|p| *p != identity).collect()).collect();
    named.sort_by_key(|people| (people.len(), people.clone()));
    while let Some(people) = named.pop() {
        let said = |other: &[PersonId]| people.iter().all(|p| other.contains(p));
        let again = all.iter().any(|m| m.same && said(&m.people));
        if people.len() > 1 && !again {
            all.push(MergeRow { people, same: true });
        }
    }
    all.sort();
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(n: u8) -> PersonId {
        PersonId([n; 16])
    }

    fn merge(people: &[u8]) -> MergeRow {
        MergeRow { people: people.iter().map(|n| id(*n)).collect(), same: true }
    }

    #[test]
    fn groups_join_where_they_share_somebody_and_the_first_stands_for_all() {
        let groups = Groups::new(&[merge(&[1, 2]), merge(&[3, 1, 2]), merge(&[8, 9])], std::iter::empty());
        assert_eq!(groups.head(id(2)), id(3));
        assert_eq!(groups.members(id(1)), [id(1), id(2), id(3)]);
        assert_eq!((groups.head(id(9)), groups.head(id(5))), (id(8), id(5)));
    }

    #[test]
    fn splitting_takes_one_out_and_leaves_the_others_together() {
        let before = [merge(&[1, 2])];
        let merged = [merge(&[1, 2]), merge(&[1, 2, 3])];
        assert_eq!(without(&merged, id(3)), before);
        let groups = Groups::new(&without(&merged, id(1)), std::iter::empty());
        assert_eq!((groups.head(id(2)), groups.head(id(3))), (id(2), id(2)));
        assert_eq!(without(&before, id(1)), []);
    }
}
