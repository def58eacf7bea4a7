//! Slides (`pptx`) and sheets (`xlsx`): one heading a slide or sheet, below it its paragraphs or rows
//! (ECMA-376). Numbers that are shown as dates are dates.

use super::{
    Document, Left, Taken,
    blocks::{Blocks, in_a_line},
    pack::{Pack, Step, attribute, walk},
    word::{properties, relations},
};
use jiff::{
    ToSpan,
    civil::{DateTime, date},
};
use std::collections::HashMap;

/// Rows of a sheet that are read.
const MOST_ROWS: usize = 200_000;

pub(super) fn slides(pack: &mut Pack) -> Taken {
    let mut blocks = Blocks::default();
    let mut whole = true;
    let order = in_order(pack, "ppt/presentation.xml", "sldId")?;
    let names = if order.is_empty() {
        pack.names("ppt/slides/slide", ".xml")
    } else {
        order.into_iter().map(|(_, part)| part).collect()
    };
    for (n, name) in names.iter().enumerate() {
        let Some(xml) = pack.part(name)? else { continue };
        let (title, paragraphs, fine) = slide(&xml);
        whole &= fine;
        blocks.heading(2, &title.unwrap_or_else(|| format!("Slide {}", n + 1)));
        paragraphs.iter().for_each(|text| blocks.paragraph(text));
        let (folder, file) = name.rsplit_once('/').unwrap_or(("", name));
        let notes = relations(pack, &format!("{folder}/_rels/{file}.rels"))?;
        let notes =
            notes.into_iter().find(|r| r.kind.ends_with("/notesSlide")).map(|r| within("ppt/slides", &r.target));
        if let Some(xml) = notes.and_then(|part| pack.part(&part).transpose()).transpose()? {
            slide(&xml).1.iter().filter(|text| text.parse::<u32>().is_err()).for_each(|text| blocks.paragraph(text));
        }
    }
    let mut document = Document { text: blocks.text(), whole, ..Document::default() };
    properties(pack, &mut document)?;
    Ok(document)
}

/// Parts in the order in which the main part lists them, with their names there.
fn in_order(pack: &mut Pack, main: &str, element: &str) -> Result<Vec<(String, String)>, Left> {
    let (folder, file) = main.rsplit_once('/').unwrap_or(("", main));
    let targets: HashMap<String, String> =
        relations(pack, &format!("{folder}/_rels/{file}.rels"))?.into_iter().map(|r| (r.id, r.target)).collect();
    let mut found = Vec::new();
    walk(&pack.part(main)?.unwrap_or_default(), |step| {
        if let Step::Start(name, attributes) = step
            && name == element
        {
            // `r:id`, beside which there is an `id` of another meaning.
            let id = attributes.iter().find(|(key, _)| key.ends_with(":id")).map(|(_, id)| id.as_str());
            let target = id.and_then(|id| targets.get(id)).map(|target| within(folder, target));
            let name = attribute(&attributes, "name").unwrap_or_default().to_owned();
            found.extend(target.map(|target| (name, target)));
        }
    });
    Ok(found)
}

/// A target seen from a folder: `../notesSlides/a.xml`, `/ppt/slides/a.xml`, `slides/a.xml`.
fn within(folder: &str, target: &str) -> String {
    if let Some(absolute) = target.strip_prefix('/') {
        return absolute.to_owned();
    }
    let mut parts: Vec<&str> = folder.split('/').collect();
    for part in target.split('/') {
        match part {
            ".." => drop(parts.pop()),
            "." => {}
            part => parts.push(part),
        }
    }
    parts.join("/")
}

fn slide(xml: &str) -> (Option<String>, Vec<String>, bool) {
    let (mut title, mut paragraphs, mut text) = (None, Vec::new(), String::new());
    let (mut is_title, mut in_text, mut skipped) = (false, false, 0usize);
    let fine = walk(xml, |step| match step {
        Step::Start(_, _) if skipped > 0 => skipped += 1,
        Step::End(_) if skipped > 0 => skipped -= 1,
        Step::Start("Fallback", _) => skipped = 1,
        Step::Start("sp", _) => is_title = false,
        Step::Start("ph", attributes) => {
            is_title = matches!(attribute(&attributes, "type"), Some("title" | "ctrTitle"))
        }
        Step::Start("t", _) => in_text = true,
        Step::End("t") => in_text = false,
        Step::Start("br", _) => text.push('\n'),
        Step::End("p") => {
            let said = std::mem::take(&mut text);
            if is_title && title.is_none() && !said.trim().is_empty() {
                title = Some(in_a_line(&said));
            } else if !said.trim().is_empty() {
                paragraphs.push(said);
            }
        }
        Step::Text(said) if in_text && skipped == 0 => text.push_str(said),
        _ => {}
    });
    (title, paragraphs, fine)
}

pub(super) fn sheets(pack: &mut Pack) -> Taken {
    let shared = pack.part("xl/sharedStrings.xml")?.map(|xml| strings(&xml)).unwrap_or_default();
    let dates = pack.part("xl/styles.xml")?.map(|xml| date_styles(&xml)).unwrap_or_default();
    let mut sheets = in_order(pack, "xl/workbook.xml", "sheet")?;
    if sheets.is_empty() {
        sheets = pack.names("xl/worksheets/sheet", ".xml").into_iter().map(|part| (String::new(), part)).collect();
    }
    let (mut blocks, mut whole, mut rows) = (Blocks::default(), true, 0);
    for (name, part) in sheets {
        let Some(xml) = pack.part(&part)? else { continue };
        blocks.heading(2, &name);
        let mut sheet = Sheet { shared: &shared, dates: &dates, ..Sheet::default() };
        let fine = walk(&xml, |step| {
            if let Some(row) = sheet.step(step) {
                rows += 1;
                if rows <= MOST_ROWS {
                    blocks.row(&row);
                }
            }
        });
        whole &= fine && rows <= MOST_ROWS;
    }
    let mut document = Document { text: blocks.text(), whole, ..Document::default() };
    properties(pack, &mut document)?;
    Ok(document)
}

/// The texts that cells refer to by number; without what is written above East Asian words (`rPh`).
fn strings(xml: &str) -> Vec<String> {
    let (mut all, mut text, mut in_text, mut above) = (Vec::new(), String::new(), false, false);
    walk(xml, |step| match step {
        Step::Start("rPh", _) => above = true,
        Step::End("rPh") => above = false,
        Step::Start("t", _) => in_text = true,
        Step::End("t") => in_text = false,
        Step::End("si") => all.push(std::mem::take(&mut text)),
        Step::Text(said) if in_text && !above => text.push_str(said),
        _ => {}
    });
    all
}

/// Of each style of a cell, whether it shows a number as a date.
fn date_styles(xml: &str) -> Vec<bool> {
    let (mut own, mut styles, mut in_cells) = (HashMap::new(), Vec::new(), false);
    walk(xml, |step| match step {
        Step::Start("numFmt", attributes) => {
            let get = |name| attribute(&attributes, name).unwrap_or_default();
            let bare: String = without_quotes(get("formatCode")).to_lowercase();
            let is_date = bare.contains(['y', 'd']) || bare.contains('h') && bare.contains('m');
            own.insert(get("numFmtId").to_owned(), is_date);
        }
        Step::Start("cellXfs", _) => in_cells = true,
        Step::End("cellXfs") => in_cells = false,
        Step::Start("xf", attributes) if in_cells => {
            let id = attribute(&attributes, "numFmtId").unwrap_or_default();
            let built_in = id.parse::<u32>().is_ok_and(|id| matches!(id, 14..=22 | 27..=36 | 45..=47 | 50..=58));
            styles.push(own.get(id).copied().unwrap_or(built_in));
        }
        _ => {}
    });
    styles
}

/// A format without what is in quotes or brackets: `[Red]0.0 "days"`.
fn without_quotes(format: &str) -> String {
    let (mut out, mut until) = (String::new(), None);
    for c in format.chars() {
        match (until, c) {
            (Some(end), c) if c == end => until = None,
            (Some(_), _) => {}
            (None, '"') => until = Some('"'),
            (None, '[') => until = Some(']'),
            (None, c) => out.push(c),
        }
    }
    out
}

#[derive(Default)]
struct Sheet<'a> {
    shared: &'a [String],
    dates: &'a [bool],
    row: Vec<String>,
    kind: String,
    style: usize,
    column: usize,
    value: String,
    in_value: bool,
}

impl Sheet<'_> {
    fn step(&mut self, step: Step<'_>) -> Option<Vec<String>> {
        match step {
            Step::Start("c", attributes) => {
                let get = |name| attribute(&attributes, name).unwrap_or_default();
                self.kind = get("t").to_owned();
                self.style = get("s").parse().unwrap_or(0);
                self.column = column(get("r")).unwrap_or(self.row.len());
                self.value.clear();
            }
            Step::Start("v" | "t", _) => self.in_value = true,
            Step::End("v" | "t") => self.in_value = false,
            Step::Text(text) if self.in_value => self.value.push_str(text),
            Step::End("c") if !self.value.is_empty() => {
                let shown = self.shown();
                self.row.resize(self.column.min(1000).max(self.row.len()), String::new());
                self.row.push(shown);
            }
            Step::End("row") => return Some(std::mem::take(&mut self.row)),
            _ => {}
        }
        None
    }

    fn shown(&self) -> String {
        match self.kind.as_str() {
            "s" => self.value.trim().parse().ok().and_then(|n: usize| self.shared.get(n)).cloned().unwrap_or_default(),
            "b" => (if self.value == "1" { "TRUE" } else { "FALSE" }).to_owned(),
            "" | "n" if self.dates.get(self.style) == Some(&true) => {
                self.value.parse().ok().and_then(day).unwrap_or_else(|| self.value.clone())
            }
            _ => self.value.clone(),
        }
    }
}

/// `C7` is the third column: 2.
fn column(reference: &str) -> Option<usize> {
    let letters = reference.bytes().take_while(u8::is_ascii_alphabetic).take(3);
    letters.fold(None, |n, b| Some(n.map_or(0, |n: usize| n + 1) * 26 + usize::from(b.to_ascii_uppercase() - b'A')))
}

/// Days since 1899-12-30, with the time of day as a fraction.
fn day(number: f64) -> Option<String> {
    let in_range = (1.0..200_000.0).contains(&number);
    let seconds = (number * 86_400.0).round() as i64;
    let at: DateTime = date(1899, 12, 30).at(0, 0, 0, 0).checked_add(seconds.seconds()).ok().filter(|_| in_range)?;
    Some(if seconds % 86_400 == 0 { at.date().to_string() } else { at.strftime("%Y-%m-%d %H:%M").to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_as_dates_and_columns() {
        assert_eq!(day(45_306.0).as_deref(), Some("2024-01-15"));
        assert_eq!(day(45_306.437_5).as_deref(), Some("2024-01-15 10:30"));
        assert_eq!((column("A1"), column("C7"), column("AB3"), column("7")), (Some(0), Some(2), Some(27), None));
        assert_eq!(without_quotes("[Red]0 \"days\""), "0 ");
    }
}
