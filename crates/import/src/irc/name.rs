//! Where a log comes from: its network, its channel or person, and its day, from what it says of itself and from
//! the names that the programs give their files.

use super::{line, stamp::Style};
use crate::text::{Line, Lines};
use jiff::civil::Date;

/// Endings of files that are no logs, whatever they hold.
const ENDINGS: [&str; 4] = ["log", "txt", "weechatlog", "irclog"];

#[derive(Debug, Default, PartialEq)]
pub(super) struct Name {
    /// Empty where it is not known.
    pub(super) network: String,
    pub(super) channel: String,
    pub(super) day: Option<Date>,
}

/// By the ending: a channel may have a dot in its name, and logs often have no ending.
pub(super) fn may_be_log(name: &str) -> bool {
    match name.rsplit_once('.') {
        // Backups of phones have 100,000 files that are named by their hash.
        None => name.len() < 32 || !name.bytes().all(|b| b.is_ascii_hexdigit()),
        Some((_, ending)) => {
            let known = ENDINGS.iter().any(|known| ending.eq_ignore_ascii_case(known));
            known || name.starts_with(['#', '&']) || ending.len() > 8
        }
    }
}

impl Name {
    /// `head`: the beginning of the log, whose joins name the channel.
    pub(super) fn of(path: &str, head: &[u8], style: Style) -> Self {
        let mut name = from_path(path);
        if let Some(channel) = joined(head, style) {
            name.channel = channel;
        }
        name.channel = name.channel.to_lowercase();
        name.network = name.network.to_lowercase();
        name
    }

    pub(super) fn key(&self) -> String {
        if self.network.is_empty() { self.channel.clone() } else { format!("{}/{}", self.network, self.channel) }
    }

    /// Names are unique in a network, in any case.
    pub(super) fn person(&self, nick: &str) -> String {
        let nick = nick.to_lowercase();
        if self.network.is_empty() { nick } else { format!("{}/{nick}", self.network) }
    }
}

/// The channel that a join in the first lines names.
fn joined(head: &[u8], style: Style) -> Option<String> {
    let lines = Lines::new(head, head.len()).ok()?.map_while(Result::ok).take(200);
    let texts = lines.filter_map(|line| match line {
        Line::Text { text, .. } => Some(text),
        Line::TooLong { .. } => None,
    });
    texts.into_iter().find_map(|text| {
        let notice = line::notice(&text, style)?;
        let from = ["has joined ", "Joined channel ", "Now talking on ", "Now talking in ", "Session Ident: "];
        let after = from.iter().find_map(|words| notice.split_once(words)).map(|(_, after)| after)?;
        let channel = after.split(|c: char| c.is_whitespace() || c == ',').next()?;
        channel.starts_with(['#', '&', '+', '!']).then(|| channel.to_owned())
    })
}

fn from_path(path: &str) -> Name {
    let mut parts: Vec<&str> = path.split('/').collect();
    let file = parts.pop().unwrap_or_default();
    let stem = ENDINGS.iter().fold(file, |stem, ending| stem.strip_suffix(&format!(".{ending}")).unwrap_or(stem));
    let (stem, day) = without_day(stem);
    let folder = |back: usize| parts.len().checked_sub(back).and_then(|i| parts.get(i)).copied().unwrap_or_default();
    let is_channel = |name: &str| name.starts_with(['#', '&']);
    // ZNC: networks/<network>/moddata/log/<channel>/<day>.log
    let moddata = parts.iter().rposition(|p| *p == "moddata");
    let network = moddata.and_then(|i| i.checked_sub(1)).and_then(|i| parts.get(i)).copied();
    let mut name = match stem {
        "" => Name { network: String::new(), channel: folder(1).to_owned(), day },
        // WeeChat: irc.<network>.<channel>
        stem if stem.starts_with("irc.") => {
            let mut pieces = stem.splitn(3, '.').skip(1);
            let network = pieces.next().unwrap_or_default().to_owned();
            Name { network, channel: pieces.next().unwrap_or_default().to_owned(), day }
        }
        // HexChat: <network>-#<channel>; older ZNC: <user>_<network>_#<channel>
        stem => match stem.find(['#', '&']).filter(|at| *at > 0) {
            Some(at) => {
                let (before, channel) = stem.split_at(at);
                let network = before.trim_end_matches(['-', '_', '.']).rsplit('_').next().unwrap_or_default();
                Name { network: network.to_owned(), channel: channel.to_owned(), day }
            }
            None => Name { network: String::new(), channel: stem.to_owned(), day },
        },
    };
    if name.network.is_empty() {
        let above = if stem.is_empty() { folder(2) } else { folder(1) };
        let plain = is_channel(&name.channel)
            && !is_channel(above)
            && !matches!(above, "logs" | "log" | "irclogs" | "scrollback");
        name.network = network.or(Some(above).filter(|_| plain)).unwrap_or_default().to_owned();
    }
    name
}

/// `#chan_20240131`, `#chan.2024-01-31`, `2024-01-31`, `2024-01-31-#chan`.
fn without_day(stem: &str) -> (&str, Option<Date>) {
    if let Some((day, rest)) = stem.split_at_checked(10)
        && rest.starts_with(['_', '.', '-', ' '])
        && let Ok(day) = day.parse::<Date>()
    {
        return (rest.trim_start_matches(['_', '.', '-', ' ']), Some(day));
    }
    for (len, plain) in [(10, false), (8, true)] {
        let Some((before, digits)) = stem.len().checked_sub(len).and_then(|at| stem.split_at_checked(at)) else {
            continue;
        };
        let numbers: Option<Vec<i16>> = match plain {
            true => [(0, 4), (4, 6), (6, 8)].iter().map(|(a, b)| digits.get(*a..*b)?.parse().ok()).collect(),
            false => digits.split('-').map(|n| n.parse().ok()).collect(),
        };
        let date = numbers.as_deref().and_then(|n| match n {
            [year, month, day] => Date::new(*year, i8::try_from(*month).ok()?, i8::try_from(*day).ok()?).ok(),
            _ => None,
        });
        if let Some(date) = date.filter(|d| (1988..=2199).contains(&d.year())) {
            return (before.trim_end_matches(['_', '.', '-', ' ']), Some(date));
        }
    }
    (stem, None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_programs_give() {
        for (path, network, channel, day) in [
            ("irc.libera.#rust.weechatlog", "libera", "#rust", None),
            ("irc.libera.#a.b.weechatlog", "libera", "#a.b", None),
            ("libera/#rust.log", "libera", "#rust", None),
            ("networks/libera/moddata/log/#rust/2024-01-31.log", "libera", "#rust", Some("2024-01-31")),
            ("me_libera_#rust_20240131.log", "libera", "#rust", Some("2024-01-31")),
            ("Libera.Chat-#rust.log", "Libera.Chat", "#rust", None),
            ("#rust.2024-01-31.log", "", "#rust", Some("2024-01-31")),
            ("ana.log", "", "ana", None),
            ("2024-01-31-#rust.log", "", "#rust", Some("2024-01-31")),
        ] {
            let day = day.map(|d| d.parse().unwrap());
            assert_eq!(from_path(path), Name { network: network.into(), channel: channel.into(), day }, "{path}");
        }
    }
}
