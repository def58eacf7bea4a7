//! Damage to what lies beside what: files go, come, change places and names, and whole exports are packed, again
//! and again.

use super::{
    dice::Dice,
    seeds::{Form, Seed, packed},
};
use zip::CompressionMethod;

const NAMES: [&str; 10] = [
    "conversations.json",
    "messages.csv",
    "a b/ü\u{301}/_chat.txt",
    "__MACOSX/._x.json",
    "index.html",
    "x.sqlite-wal",
    "..hidden",
    "C:/b.json",
    "nul\u{1}.txt",
    "0123456789abcdef0123456789abcdef.md",
];

pub(super) fn harm(case: &mut Seed, others: &[Seed], dice: &mut Dice) {
    if case.form == Form::File || dice.one_in(6) {
        return pack(case, dice);
    }
    let (n, m) = (dice.below(case.files.len()), dice.below(case.files.len()));
    match dice.below(7) {
        0 if case.files.len() > 1 => drop(case.files.remove(n)),
        1 => {
            let (name, bytes) = case.files[n].clone();
            case.files.push((format!("copy/{name}"), bytes));
        }
        2 => {
            let name = std::mem::take(&mut case.files[n].0);
            let name = std::mem::replace(&mut case.files[m].0, name);
            if n != m {
                case.files[n].0 = name;
            }
        }
        3 => case.files[n].1.clear(),
        4 => case.files[n].0 = (*dice.pick(&NAMES)).to_owned(),
        5 => case.files.extend(dice.pick(others).files.iter().take(5).cloned()),
        _ => {
            let name = case.files[n].0.to_uppercase();
            case.files[n].0 = name;
        }
    }
}

/// Into a zip, or zips in zips.
fn pack(case: &mut Seed, dice: &mut Dice) {
    for depth in 0..=dice.below(5) {
        let method = [CompressionMethod::Stored, CompressionMethod::Deflated][dice.below(2)];
        case.files = vec![(format!("part-{depth}.zip"), packed(&case.files, method))];
    }
    case.form = Form::File;
}
