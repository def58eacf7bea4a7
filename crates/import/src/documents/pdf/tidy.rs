//! Pages of a PDF made ready for the reader of pages, which panics on operations that it does not expect and calls
//! itself for forms within forms: only what shows text (`shown.rs`) is left of them, and that is known to end; no
//! table of letters without an end (`letters.rs`) either.

use super::super::{
    letters,
    shown::{Shown, shown},
};
use pdf_extract::{
    Dictionary, Document as Pdf, Object, ObjectId, Stream,
    content::{Content, Operation},
};
use std::collections::{HashMap, HashSet};

/// Operations of a page with all forms in it.
const MOST_OPERATIONS: u64 = 5_000_000;
/// Operands and operators of all pages and forms, and bytes of them.
const MOST_TOKENS: usize = 8_000_000;
const MOST_CONTENT: usize = 64 << 20;

/// Keeps of every page only what shows text, in a form that the reader of pages can take.
#[derive(Default)]
pub(super) struct Tidy {
    /// Operations of each form with all in it; none while it is being looked at.
    forms: HashMap<ObjectId, Option<u64>>,
    fonts: HashSet<ObjectId>,
    tokens: usize,
    bytes: usize,
}

impl Tidy {
    pub(super) fn page(&mut self, pdf: &mut Pdf, id: ObjectId) -> Option<()> {
        let content = pdf.get_page_content(id).ok();
        let page = pdf.get_dictionary(id).ok()?.clone();
        let mut resources = inherited(pdf, &page, b"Resources").and_then(|o| dictionary(pdf, &o)).unwrap_or_default();
        self.fonts(pdf, &mut resources);
        let sides = inherited(pdf, &page, b"MediaBox").and_then(|o| numbers(pdf, &o)).filter(|n| n.len() == 4);
        let sides = sides.unwrap_or_else(|| vec![0.0, 0.0, 612.0, 792.0]);
        let (operations, whole) = content.as_deref().and_then(|c| self.operations(c)).unzip();
        let fine = whole.unwrap_or_default();
        let (kept, _) = self.kept(pdf, operations.unwrap_or_default(), &resources);
        let content = Content { operations: kept }.encode().ok()?;
        let content = pdf.add_object(Stream::new(Dictionary::new(), content));
        let page = pdf.get_object_mut(id).ok()?.as_dict_mut().ok()?;
        page.set("Contents", Object::Reference(content));
        page.set("Resources", Object::Dictionary(resources));
        page.set("MediaBox", Object::Array(sides.into_iter().map(|n| Object::Real(n as f32)).collect()));
        page.remove(b"ArtBox");
        fine.then_some(())
    }

    /// The operations of a content as far as they may show text, and whether these are all; none where it is damaged.
    fn operations(&mut self, content: &[u8]) -> Option<(Vec<Operation>, bool)> {
        let Shown { content, tokens, whole } = shown(content);
        self.tokens += tokens;
        self.bytes += content.len();
        if self.tokens > MOST_TOKENS || self.bytes > MOST_CONTENT {
            return None;
        }
        Some((Content::decode(&content).ok()?.operations, whole))
    }

    /// Fonts without tables of letters that have no end.
    fn fonts(&mut self, pdf: &mut Pdf, resources: &mut Dictionary) {
        let Some(mut fonts) = resources.get(b"Font").ok().and_then(|o| dictionary(pdf, o)) else { return };
        for (_, font) in fonts.iter_mut() {
            let id = font.as_reference().ok();
            if id.is_some_and(|id| !self.fonts.insert(id)) {
                continue;
            }
            let Some(mut own) = dictionary(pdf, font) else { continue };
            let table = own.get(b"ToUnicode").ok().and_then(|o| resolved(pdf, o)?.as_stream().ok());
            let fits = |s: &Stream| letters::fits(s.decompressed_content().as_ref().unwrap_or(&s.content));
            if table.is_none_or(fits) {
                continue;
            }
            own.remove(b"ToUnicode");
            match id.and_then(|id| pdf.get_object_mut(id).ok()) {
                Some(font) => *font = Object::Dictionary(own),
                None => *font = Object::Dictionary(own),
            }
        }
        resources.set("Font", Object::Dictionary(fonts));
    }

    /// The operations that show text, and how many they are with those of the forms in them.
    fn kept(&mut self, pdf: &mut Pdf, operations: Vec<Operation>, resources: &Dictionary) -> (Vec<Operation>, u64) {
        let fonts = resources.get(b"Font").ok().and_then(|o| dictionary(pdf, o)).unwrap_or_default();
        let forms = resources.get(b"XObject").ok().and_then(|o| dictionary(pdf, o)).unwrap_or_default();
        let (mut kept, mut cost) = (Vec::new(), 0u64);
        let (mut has_font, mut above) = (false, Vec::new());
        for Operation { operator, operands } in operations {
            let are_numbers = |n| operands.len() == n && operands.iter().all(is_number);
            let keep = match operator.as_str() {
                "BT" | "ET" | "T*" => true,
                "q" => {
                    above.push(has_font);
                    above.len() < 1_000
                }
                "Q" => {
                    has_font = above.pop().unwrap_or(has_font);
                    true
                }
                "cm" | "Tm" => are_numbers(6),
                "Td" | "TD" => are_numbers(2),
                "TL" | "Tc" | "Tw" | "Tz" | "Ts" => are_numbers(1),
                "Tf" => match operands.as_slice() {
                    [Object::Name(name), size] => {
                        let known = is_number(size) && fonts.get(name).ok().and_then(|o| dictionary(pdf, o)).is_some();
                        has_font |= known;
                        known
                    }
                    _ => false,
                },
                "Tj" => has_font && matches!(operands.as_slice(), [Object::String(..)]),
                "TJ" => has_font && matches!(operands.as_slice(), [Object::Array(_)]),
                "'" | "\"" => {
                    if let (true, Some(text @ Object::String(..))) = (has_font, operands.last()) {
                        kept.push(Operation::new("T*", Vec::new()));
                        kept.push(Operation::new("Tj", vec![text.clone()]));
                    }
                    false
                }
                "Do" => {
                    let name = operands.first().and_then(|o| o.as_name().ok());
                    let form = name.and_then(|n| forms.get(n).ok()).and_then(|o| o.as_reference().ok());
                    let inner = form.and_then(|form| self.form(pdf, form, resources));
                    let fits = inner.is_some_and(|inner| cost + inner < MOST_OPERATIONS);
                    cost += inner.filter(|_| fits).unwrap_or(0);
                    fits
                }
                _ => false,
            };
            if keep {
                cost += 1;
                kept.push(Operation { operator, operands });
            }
        }
        (kept, cost)
    }

    /// Tidies a form once; none for a picture, and for a form that leads back to itself.
    fn form(&mut self, pdf: &mut Pdf, id: ObjectId, around: &Dictionary) -> Option<u64> {
        if let Some(known) = self.forms.get(&id) {
            return *known;
        }
        self.forms.insert(id, None);
        let stream = pdf.get_object(id).ok()?.as_stream().ok()?;
        if stream.dict.get(b"Subtype").ok()?.as_name().ok()? != b"Form" || self.forms.len() > 100_000 {
            return None;
        }
        let mut own = stream.dict.get(b"Resources").ok().and_then(|o| dictionary(pdf, o));
        let content = stream.decompressed_content().unwrap_or_else(|_| stream.content.clone());
        let (operations, _) = self.operations(&content)?;
        if let Some(own) = &mut own {
            self.fonts(pdf, own);
        }
        let depth = self.forms.values().filter(|cost| cost.is_none()).count();
        let (kept, cost) = match depth > 60 {
            true => (Vec::new(), 0),
            false => self.kept(pdf, operations, own.as_ref().unwrap_or(around)),
        };
        let content = Content { operations: kept }.encode().ok()?;
        let mut dict = Dictionary::new();
        dict.set("Subtype", Object::Name(b"Form".to_vec()));
        if let Some(own) = own {
            dict.set("Resources", Object::Dictionary(own));
        }
        *pdf.get_object_mut(id).ok()? = Object::Stream(Stream::new(dict, content));
        self.forms.insert(id, Some(cost));
        Some(cost)
    }
}

fn is_number(object: &Object) -> bool {
    matches!(object, Object::Integer(_) | Object::Real(_))
}

pub(super) fn resolved<'a>(pdf: &'a Pdf, object: &'a Object) -> Option<&'a Object> {
    match object {
        Object::Reference(id) => pdf.get_object(*id).ok(),
        other => Some(other),
    }
}

pub(super) fn dictionary(pdf: &Pdf, object: &Object) -> Option<Dictionary> {
    resolved(pdf, object)?.as_dict().ok().cloned()
}

fn numbers(pdf: &Pdf, object: &Object) -> Option<Vec<f64>> {
    let number = |o: &Object| match resolved(pdf, o) {
        Some(Object::Integer(n)) => Some(*n as f64),
        Some(Object::Real(n)) => Some(f64::from(*n)),
        _ => None,
    };
    resolved(pdf, object)?.as_array().ok()?.iter().map(number).collect()
}

/// A value of a page or of what it lies in.
fn inherited(pdf: &Pdf, page: &Dictionary, key: &[u8]) -> Option<Object> {
    let mut at = page;
    for _ in 0..64 {
        if let Ok(value) = at.get(key) {
            return Some(value.clone());
        }
        at = pdf.get_dictionary(at.get(b"Parent").ok()?.as_reference().ok()?).ok()?;
    }
    None
}
