//! Parsing in bounded work. For every tag the parser walks up the elements that are open and writes open emphasis anew,
//! so that a page which is made to nest costs the square of its length. `shallow.rs` keeps what it recognises from
//! nesting; here the steps themselves are counted, and beyond the bound the rest of a page is taken as its words.

use ego_tree::NodeId;
use html5ever::{
    Attribute, ParseOpts, Parser, QualName,
    driver::{parse_document, parse_fragment},
    local_name, ns,
    tendril::{StrTendril, TendrilSink},
    tree_builder::{ElementFlags, NodeOrText, QuirksMode, TreeSink},
};
use scraper::{Html, HtmlTreeSink};
use std::{
    borrow::Cow,
    cell::{Cell, Ref},
    rc::Rc,
};

/// Steps that any page may take, and more for each byte; mails of hundreds of answers within each other take a tenth.
const STEPS: u64 = 20_000_000;
const STEPS_A_BYTE: u64 = 20;
/// What a new element counts for.
const NEW: u64 = 200;
/// Bytes between two looks at the count.
const PIECE: usize = 4 << 10;

pub(super) fn page(html: &str) -> Html {
    let (tree, steps) = Counting::new(Html::new_document());
    parsed(parse_document(tree, ParseOpts::default()), html, &steps)
}

pub(super) fn fragment(html: &str) -> Html {
    let (tree, steps) = Counting::new(Html::new_fragment());
    let body = QualName::new(None, ns!(html), local_name!("body"));
    parsed(parse_fragment(tree, ParseOpts::default(), body, Vec::new(), false), html, &steps)
}

fn parsed(mut parser: Parser<Counting>, html: &str, steps: &Cell<u64>) -> Html {
    let most = STEPS + STEPS_A_BYTE * html.len() as u64;
    let mut rest = html;
    while !rest.is_empty() && steps.get() <= most {
        let (piece, after) = rest.split_at(rest.floor_char_boundary(PIECE));
        parser.process(StrTendril::from(piece));
        rest = after;
    }
    if !rest.is_empty() {
        let read = html.get(..html.len() - rest.len()).unwrap_or_default();
        parser.process(StrTendril::from(end_of_tag(read)));
    }
    // Of what was cut through, the end alone is here.
    for text in rest.split('<').filter_map(|piece| piece.split_once('>')).map(|(_, text)| text.trim()) {
        if !text.is_empty() {
            parser.process(StrTendril::from(text));
            parser.process(StrTendril::from("\n"));
        }
    }
    parser.finish()
}

/// What ends the tag or comment in which a page was cut, whatever quotes are open in it.
fn end_of_tag(read: &str) -> &'static str {
    let within = |begin: &str, end: &str| read.rfind(begin) > read.rfind(end);
    match (within("<!--", "-->"), within("<", ">")) {
        (true, _) => "-->",
        (false, true) => "\"'>",
        (false, false) => "",
    }
}

/// The tree, and a count of what is asked of it.
struct Counting {
    tree: HtmlTreeSink,
    steps: Rc<Cell<u64>>,
}

impl Counting {
    fn new(html: Html) -> (Self, Rc<Cell<u64>>) {
        let steps = Rc::new(Cell::new(0));
        (Self { tree: HtmlTreeSink::new(html), steps: steps.clone() }, steps)
    }

    fn count(&self, steps: u64) {
        self.steps.set(self.steps.get() + steps);
    }
}

impl TreeSink for Counting {
    type Handle = NodeId;
    type Output = Html;
    type ElemName<'a> = Ref<'a, QualName>;

    fn finish(self) -> Html {
        self.tree.finish()
    }

    fn parse_error(&self, msg: Cow<'static, str>) {
        self.tree.parse_error(msg);
    }

    fn get_document(&self) -> NodeId {
        self.tree.get_document()
    }

    fn elem_name<'a>(&'a self, target: &'a NodeId) -> Ref<'a, QualName> {
        self.count(1);
        self.tree.elem_name(target)
    }

    fn same_node(&self, x: &NodeId, y: &NodeId) -> bool {
        self.count(1);
        self.tree.same_node(x, y)
    }

    fn create_element(&self, name: QualName, attrs: Vec<Attribute>, flags: ElementFlags) -> NodeId {
        self.count(NEW);
        self.tree.create_element(name, attrs, flags)
    }

    fn create_comment(&self, text: StrTendril) -> NodeId {
        self.tree.create_comment(text)
    }

    fn create_pi(&self, target: StrTendril, data: StrTendril) -> NodeId {
        self.tree.create_pi(target, data)
    }

    fn append(&self, parent: &NodeId, child: NodeOrText<NodeId>) {
        self.tree.append(parent, child);
    }

    fn append_based_on_parent_node(&self, element: &NodeId, before: &NodeId, child: NodeOrText<NodeId>) {
        self.tree.append_based_on_parent_node(element, before, child);
    }

    fn append_doctype_to_document(&self, name: StrTendril, public_id: StrTendril, system_id: StrTendril) {
        self.tree.append_doctype_to_document(name, public_id, system_id);
    }

    fn get_template_contents(&self, target: &NodeId) -> NodeId {
        self.tree.get_template_contents(target)
    }

    fn set_quirks_mode(&self, mode: QuirksMode) {
        self.tree.set_quirks_mode(mode);
    }

    fn append_before_sibling(&self, sibling: &NodeId, node: NodeOrText<NodeId>) {
        self.tree.append_before_sibling(sibling, node);
    }

    fn add_attrs_if_missing(&self, target: &NodeId, attrs: Vec<Attribute>) {
        self.tree.add_attrs_if_missing(target, attrs);
    }

    fn remove_from_parent(&self, target: &NodeId) {
        self.tree.remove_from_parent(target);
    }

    fn reparent_children(&self, node: &NodeId, parent: &NodeId) {
        self.tree.reparent_children(node, parent);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_write_is_read_as_ever() {
        let html = "<p>a<b>b</b><br>c<table><tr><td>d<svg><path/></svg></table>&amp;é<x".repeat(2_000);
        assert_eq!(page(&html).html(), Html::parse_document(&html).html());
        assert_eq!(fragment(&html).html(), Html::parse_fragment(&html).html());
    }

    #[test]
    fn what_nests_without_end_ends_in_its_words() {
        for open in ["<div cl</div>", "<svg><div>", "<b><div></b>", "<!--><div>--><!x </div>", "<b a=1><b a=2><p>"] {
            let html = format!("<p>first</p>{}<p>last</p>", open.repeat(20_000));
            let page = page(&html);
            let text: String = page.root_element().text().collect();
            assert!(text.contains("first") && text.contains("last"), "{open}");
        }
    }
}
