//! A page of Notion's HTML export: its id, title, properties and body.

use super::{Page, Property, id_in_name};
use crate::{html, note};
use scraper::{ElementRef, Html, Selector};

impl Page {
    pub(super) fn of_html(text: &str, path: &str) -> Self {
        let mut page = html::page(&prepared(text));
        let lists = remove(&mut page, "table.collection-content, .collection-title");
        remove(&mut page, ".katex-html, semantics > :not(annotation), nav.table_of_contents, .icon");
        let id = first(&page, "article[id]").and_then(|article| article.attr("id")).map(|id| id.replace('-', ""));
        let id = id.filter(|id| id.len() == 32).or_else(|| id_in_name(note::stem(path)).map(|(_, id)| id));
        let body = first(&page, ".page-body");
        let text = note::parts([
            first(&page, ".page-description").map(html::element).unwrap_or_default().as_str(),
            &body.map(html::element).unwrap_or_default(),
        ]);
        let words = |element: ElementRef| element.text().collect::<String>().trim().to_owned();
        let title = first(&page, ".page-title").map(words).unwrap_or_default();
        Self {
            id: id.unwrap_or_else(|| path.to_owned()),
            title: if title == "Untitled" { String::new() } else { title },
            properties: properties(&page),
            links: body.map(links).unwrap_or_default(),
            only_list: lists > 0 && text.is_empty(),
            text,
        }
    }
}

/// Check boxes are drawn by classes; a formula stands in its own language within the drawing.
fn prepared(text: &str) -> String {
    text.replace("<div class=\"checkbox checkbox-on\"></div>", "<input type=\"checkbox\" checked>")
        .replace("<div class=\"checkbox checkbox-off\"></div>", "<input type=\"checkbox\">")
}

fn select<'a>(page: &'a Html, selector: &str) -> Vec<ElementRef<'a>> {
    Selector::parse(selector).map(|s| page.select(&s).collect()).unwrap_or_default()
}

fn first<'a>(page: &'a Html, selector: &str) -> Option<ElementRef<'a>> {
    Selector::parse(selector).ok().and_then(|s| page.select(&s).next())
}

/// Takes elements out of the page; says how many.
fn remove(page: &mut Html, selector: &str) -> usize {
    let ids: Vec<_> = select(page, selector).into_iter().map(|element| element.id()).collect();
    for id in &ids {
        if let Some(mut node) = page.tree.get_mut(*id) {
            node.detach();
        }
    }
    ids.len()
}

/// Rows such as `<tr class="property-row property-row-date"><th>Name</th><td>value</td></tr>`.
fn properties(page: &Html) -> Vec<Property> {
    let row = |row: ElementRef| {
        let kind = row.value().classes().find_map(|class| class.strip_prefix("property-row-")).unwrap_or_default();
        let cell = |name: &str| row.child_elements().find(|cell| cell.value().name() == name);
        let name: String = cell("th")?.text().collect::<String>().trim().to_owned();
        let td = cell("td")?;
        let value = match kind {
            "checkbox" => {
                if Selector::parse(".checkbox-on, input[checked]").is_ok_and(|s| td.select(&s).next().is_some()) {
                    "yes"
                } else {
                    "no"
                }
                .to_owned()
            }
            "multi_select" | "person" | "relation" | "file" => {
                let each = td.child_elements().map(html::element).filter(|value| !value.is_empty());
                each.collect::<Vec<_>>().join(", ")
            }
            _ => html::element(td).trim_start_matches('@').to_owned(),
        };
        (!name.is_empty() && !value.is_empty()).then(|| Property { name, value, kind: kind.to_owned() })
    };
    select(page, "table.properties tr").into_iter().filter_map(row).collect()
}

fn links(body: ElementRef) -> Vec<String> {
    let found = Selector::parse("a[href], img[src], video[src], audio[src], source[src]").map(|s| {
        let links = body.select(&s).filter_map(|e| e.attr("href").or_else(|| e.attr("src")));
        links.map(str::to_owned).collect()
    });
    found.unwrap_or_default()
}
