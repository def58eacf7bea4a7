//! Conversations with branches: which answers were kept, and in which order they are read.
//! ChatGPT and Claude.ai both keep every edited question and every regenerated answer.

use std::collections::HashMap;

/// What a node says about its place.
pub(crate) struct Link<'a> {
    pub(crate) id: &'a str,
    pub(crate) parent: Option<&'a str>,
    pub(crate) children: Vec<&'a str>,
}

/// For each node, which one it follows. Tolerates links in one direction only, links to nodes that
/// are missing, and circles; without any link, each follows the one before it in the file.
pub(crate) fn parents(links: &[Link]) -> Vec<Option<usize>> {
    if links.iter().all(|l| l.parent.is_none() && l.children.is_empty()) {
        return (0..links.len()).map(|i| i.checked_sub(1)).collect();
    }
    let index: HashMap<&str, usize> = links.iter().enumerate().map(|(i, l)| (l.id, i)).collect();
    let mut claimed: HashMap<&str, usize> = HashMap::new();
    for (i, link) in links.iter().enumerate() {
        for child in &link.children {
            claimed.entry(child).or_insert(i);
        }
    }
    let parent = |link: &Link| {
        let named = link.parent.and_then(|p| index.get(p).or_else(|| claimed.get(p)));
        named.or_else(|| claimed.get(link.id)).copied()
    };
    let mut parents: Vec<Option<usize>> =
        links.iter().enumerate().map(|(i, l)| parent(l).filter(|p| *p != i)).collect();
    cut_circles(&mut parents);
    parents
}

/// Makes one node of each circle a root, in one pass over the nodes.
fn cut_circles(parents: &mut [Option<usize>]) {
    let mut seen_from: Vec<Option<usize>> = vec![None; parents.len()];
    for start in 0..parents.len() {
        let mut at = Some(start);
        while let Some(node) = at {
            let Some(seen) = seen_from.get_mut(node) else { break };
            match *seen {
                Some(from) if from == start => {
                    if let Some(parent) = parents.get_mut(node) {
                        *parent = None;
                    }
                    break;
                }
                Some(_) => break,
                None => *seen = Some(start),
            }
            at = parents.get(node).copied().flatten();
        }
    }
}

/// Which nodes are on the way to `leaf`. `parents` must be free of circles.
pub(crate) fn active(parents: &[Option<usize>], leaf: usize) -> Vec<bool> {
    let mut active = vec![false; parents.len()];
    let mut at = Some(leaf);
    while let Some(flag) = at.and_then(|i| active.get_mut(i)) {
        *flag = true;
        at = at.and_then(|i| parents.get(i).copied().flatten());
    }
    active
}

/// Nodes by distance from their root, those equally far in file order: along the active path this
/// is the order in which it is read.
pub(crate) fn reading_order(parents: &[Option<usize>]) -> Vec<usize> {
    let mut depth: Vec<Option<usize>> = vec![None; parents.len()];
    for i in 0..parents.len() {
        let mut way = Vec::new();
        let mut at = Some(i);
        while let Some(node) = at.filter(|n| depth.get(*n).is_some_and(Option::is_none)) {
            way.push(node);
            at = parents.get(node).copied().flatten();
        }
        let mut above = at.and_then(|n| depth.get(n).copied().flatten()).map_or(0, |d| d + 1);
        for node in way.into_iter().rev() {
            if let Some(slot) = depth.get_mut(node) {
                *slot = Some(above);
                above += 1;
            }
        }
    }
    let mut order: Vec<usize> = (0..parents.len()).collect();
    order.sort_by_key(|i| depth.get(*i).copied().flatten());
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(nodes: &[(&str, &str, &str)], leaf: usize, order: &[usize], kept: &[usize]) {
        let links: Vec<_> = nodes
            .iter()
            .map(|(id, parent, children)| Link {
                id,
                parent: Some(*parent).filter(|p| !p.is_empty()),
                children: children.split_whitespace().collect(),
            })
            .collect();
        let parents = parents(&links);
        assert_eq!(reading_order(&parents), order);
        let active: Vec<_> =
            active(&parents, leaf).into_iter().enumerate().filter(|(_, a)| *a).map(|(i, _)| i).collect();
        assert_eq!(active, kept);
    }

    #[test]
    fn branches_and_broken_links() {
        check(&[("r", "", "a"), ("a", "r", "b c"), ("b", "a", ""), ("c", "a", "")], 3, &[0, 1, 2, 3], &[0, 1, 3]);
        // File order is not reading order.
        check(&[("b", "a", ""), ("a", "", "b")], 0, &[1, 0], &[0, 1]);
        // One direction only; a missing node in the middle is stepped over.
        check(&[("r", "", "x"), ("c", "x", "")], 1, &[0, 1], &[0, 1]);
        check(&[("a", "", ""), ("b", "a", "")], 1, &[0, 1], &[0, 1]);
        check(&[("a", "", "b"), ("b", "", "")], 1, &[0, 1], &[0, 1]);
        // No links at all; a circle.
        check(&[("a", "", ""), ("b", "", "")], 1, &[0, 1], &[0, 1]);
        check(&[("a", "b", ""), ("b", "a", "")], 1, &[0, 1], &[0, 1]);
    }
}
