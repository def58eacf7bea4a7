//! Which service a file is of, and which thread. A thread lies in several files and, in large exports, in
//! several zips; it is known by the end of its path, or by its people where it has none.

use super::{FACEBOOK, INSTAGRAM, SHAPE, letters::repaired, page};
use crate::{
    ImportError, Options,
    export::Export,
    lists::{self, Got},
    time,
    values::{array, first_text, number, text},
};
use evoke_message::{Contact, normalise};
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Service {
    Facebook,
    Instagram,
}

impl Service {
    pub(super) fn key(self) -> &'static str {
        match self {
            Service::Facebook => FACEBOOK.key,
            Service::Instagram => INSTAGRAM.key,
        }
    }

    pub(super) fn label(self) -> &'static str {
        match self {
            Service::Facebook => FACEBOOK.label,
            Service::Instagram => INSTAGRAM.label,
        }
    }
}

/// Boxes that threads lie in.
const BOXES: [&str; 6] =
    ["inbox", "archived_threads", "filtered_threads", "message_requests", "e2ee_cutover", "broadcast"];

/// The files of one service. Where no file of one export says which it is, it is Facebook.
pub(super) fn of_service(export: &Export, files: Vec<usize>, service: Service) -> Vec<usize> {
    let mut by_root: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for i in files {
        by_root.entry(export.files().get(i).map_or("", |f| root(&f.path))).or_default().push(i);
    }
    let of = |root: &str, files: &[usize]| {
        let by_path = service_of_path(root).or_else(|| by_other_files(export, root));
        by_path.or_else(|| files.iter().take(200).find_map(|i| by_content(export, *i))).unwrap_or(Service::Facebook)
    };
    let mut all: Vec<usize> =
        by_root.into_iter().filter(|(root, files)| of(root, files) == service).flat_map(|(_, files)| files).collect();
    all.sort_unstable();
    all
}

/// The path above `messages/` or above the box.
fn root(path: &str) -> &str {
    let parts: Vec<&str> = path.split('/').collect();
    let at = parts.iter().rposition(|part| BOXES.contains(part) || *part == "messages");
    let Some(at) = at else { return path.rsplit_once('/').map_or("", |(folder, _)| folder) };
    let at = if at > 0 && parts.get(at - 1) == Some(&"messages") { at - 1 } else { at };
    let len: usize = parts.iter().take(at).map(|p| p.len() + 1).sum();
    path.get(..len.saturating_sub(1)).unwrap_or_default()
}

/// Only the folders that Meta itself names.
fn service_of_path(path: &str) -> Option<Service> {
    path.split('/').find_map(|part| match part {
        "your_instagram_activity" => Some(Service::Instagram),
        "your_activity_across_facebook" | "your_facebook_activity" => Some(Service::Facebook),
        _ => None,
    })
}

/// Before 2024 messages lay at the root: other files beside them tell.
fn by_other_files(export: &Export, root: &str) -> Option<Service> {
    let below = export.files().iter().filter_map(|f| f.path.strip_prefix(root));
    below.filter_map(|path| path.trim_start_matches('/').split('/').next()).find_map(|folder| match folder {
        "followers_and_following" | "your_instagram_activity" | "connections" | "login_and_account_creation" => {
            Some(Service::Instagram)
        }
        "friends_and_followers"
        | "friends"
        | "your_facebook_activity"
        | "your_activity_across_facebook"
        | "comments_and_reactions"
        | "about_you" => Some(Service::Facebook),
        _ => None,
    })
}

fn by_content(export: &Export, i: usize) -> Option<Service> {
    let head = export.head(i).ok()?;
    let head = String::from_utf8_lossy(&head);
    let has = |what: &[&str]| what.iter().any(|w| head.contains(w));
    if has(&["your_instagram_activity/", "\"Liked a message\""]) {
        return Some(Service::Instagram);
    }
    if has(&["your_facebook_activity/", "your_activity_across_facebook/", "messages/stickers_used/", "\"senderName\""])
    {
        return Some(Service::Facebook);
    }
    // Facebook's names are names of people; Instagram's may be handles.
    let names: Vec<&str> =
        head.split("\"sender_name\"").skip(1).take(50).filter_map(|rest| rest.split('"').nth(1)).collect();
    let handle = |name: &&str| {
        name.contains(['_', '.'])
            && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "._".contains(c))
    };
    (!names.is_empty() && names.iter().all(handle)).then_some(Service::Instagram)
}

/// One file of a thread.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) file: usize,
    pub(super) page: bool,
    /// The `N` of `message_N.json`: 1 is the newest.
    number: u64,
    /// Records in it.
    pub(super) count: u64,
    /// Its newest message comes first.
    pub(super) newest_first: bool,
}

/// One thread.
#[derive(Debug)]
pub(super) struct Group {
    /// What its messages are known by.
    pub(super) key: String,
    /// What its conversation is known by: the same, but for an encrypted chat that goes on from another.
    pub(super) conversation: String,
    pub(super) title: String,
    pub(super) people: Vec<String>,
    /// The oldest first.
    pub(super) parts: Vec<Part>,
}

/// What a file says of its thread.
pub(super) struct About {
    key: String,
    encrypted: bool,
    title: String,
    people: Vec<String>,
    part: Part,
}

type Failed = Vec<(usize, String)>;

/// All threads, each with its files; and files that could not be opened.
pub(super) fn groups(export: &Export, files: &[usize], options: &Options) -> Result<(Vec<Group>, Failed), ImportError> {
    let (mut groups, mut failed) = (BTreeMap::<String, (bool, Group)>::new(), Failed::new());
    for &file in files {
        let about = match page::is_page(export, file) {
            true => page::about(export, file, options),
            false => about(export, file, options),
        };
        match about {
            Ok(about) => add(&mut groups, about),
            Err(ImportError::Io { source, .. }) => failed.push((file, format!("the file could not be read: {source}"))),
            Err(other) => return Err(other),
        }
    }
    let mut by_people: HashMap<Vec<String>, Vec<String>> = HashMap::new();
    for (encrypted, group) in groups.values() {
        if !encrypted {
            by_people.entry(sorted(&group.people)).or_default().push(group.key.clone());
        }
    }
    let joined = |(encrypted, mut group): (bool, Group)| {
        let same = by_people.get(&sorted(&group.people)).map(Vec::as_slice);
        if let (true, Some([one])) = (encrypted, same) {
            group.conversation = one.clone();
        }
        group.parts.sort_by_key(|p| std::cmp::Reverse((p.number, p.file)));
        group
    };
    Ok((groups.into_values().map(joined).collect(), failed))
}

fn add(groups: &mut BTreeMap<String, (bool, Group)>, about: About) {
    let About { key, encrypted, title, people, part } = about;
    let (_, group) = groups.entry(key.clone()).or_insert_with(|| {
        let parts = Vec::new();
        (encrypted, Group { conversation: key.clone(), key, title: title.clone(), people: Vec::new(), parts })
    });
    if group.title.is_empty() {
        group.title = title;
    }
    for name in people {
        if !group.people.contains(&name) {
            group.people.push(name);
        }
    }
    group.parts.push(part);
}

fn sorted(people: &[String]) -> Vec<String> {
    let mut people: Vec<String> = people.iter().map(|p| normalise(p)).collect();
    people.sort();
    people
}

/// What stands beside the messages, how many there are, and which way they go.
fn about(export: &Export, file: usize, options: &Options) -> Result<About, ImportError> {
    let mut fields = lists::Fields::new();
    let (mut count, mut first, mut last, mut encrypted) = (0, None, None, false);
    let mut senders: Vec<String> = Vec::new();
    lists::walk(export, file, options, &SHAPE, true, |got| {
        match got {
            Got::Field(name, value) => {
                fields.insert(name, value);
            }
            Got::Record(Ok(value)) => {
                count += 1;
                encrypted |= value.get("senderName").is_some();
                let time =
                    number(value.get("timestamp_ms").or_else(|| value.get("timestamp"))).and_then(time::from_number);
                first = first.or(time);
                last = time.or(last);
                let sender = repaired(first_text(&value, &["sender_name", "senderName"])).into_owned();
                if senders.len() < 50 && !sender.is_empty() && !senders.contains(&sender) {
                    senders.push(sender);
                }
            }
            Got::Record(Err(_)) => count += 1,
        }
        true
    })?;
    let path = export.files().get(file).map_or("", |f| f.path.as_str());
    let field = |name: &str| repaired(fields.get(name).and_then(Value::as_str).unwrap_or_default()).into_owned();
    let named = fields.get("participants").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let name = |p: &Value| repaired(p.as_str().unwrap_or_else(|| text(p, "name"))).into_owned();
    let mut people: Vec<String> = named.iter().map(name).filter(|n| !n.is_empty()).collect();
    people.extend(senders.into_iter().filter(|_| named.is_empty()));
    let key = key(&field("thread_path"), path, &people, encrypted);
    let title = match field("title") {
        title if title.is_empty() => thread_name(&field("threadName")),
        title => title,
    };
    let newest_first = first >= last;
    let part = Part { file, page: false, number: number_of(path), count, newest_first };
    Ok(About { key, encrypted, title, people, part })
}

/// A page's thread is known like that of its JSON twin.
pub(super) fn about_page(
    path: &str,
    file: usize,
    title: String,
    people: Vec<String>,
    count: u64,
    newest_first: bool,
) -> About {
    let part = Part { file, page: true, number: number_of(path), count, newest_first };
    About { key: key("", path, &people, false), encrypted: false, title, people, part }
}

/// `Ana_40` without its number.
fn thread_name(name: &str) -> String {
    match name.rsplit_once('_') {
        Some((plain, n)) if !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()) => plain.to_owned(),
        _ => name.to_owned(),
    }
}

/// The end of `inbox/ana_123`; of the folder where no path is stated; else the people.
fn key(stated: &str, path: &str, people: &[String], encrypted: bool) -> String {
    let folder = || {
        let parts: Vec<&str> = path.split('/').collect();
        let at = parts.iter().position(|p| BOXES.contains(p))?;
        parts.get(at + 1).filter(|_| parts.len() > at + 2).copied()
    };
    let slug = Some(stated.rsplit('/').next().unwrap_or_default()).filter(|s| !s.is_empty()).or_else(folder);
    match slug.filter(|_| !encrypted) {
        Some(slug) => match slug.rsplit_once('_') {
            Some((_, id)) if !id.is_empty() => id.to_owned(),
            _ => normalise(slug),
        },
        None => format!("with {}", sorted(people).join(", ")),
    }
}

/// The `N` of `message_N.json`; of another name 1.
fn number_of(path: &str) -> u64 {
    let name = path.rsplit('/').next().unwrap_or_default();
    let number = name.strip_prefix("message_").and_then(|n| n.split(['.', ' ', '(']).next());
    number.and_then(|n| n.parse().ok()).unwrap_or(1)
}

/// Who the export is of, by its profile.
pub(super) fn owner(export: &Export, service: Service) -> Option<Contact> {
    let named = |name: &str| export.files().iter().position(|f| f.file_name() == name);
    let (name, addresses, handles) = match service {
        Service::Facebook => {
            let profile = lists::small(export, named("profile_information.json")?)?;
            let profile = profile.get("profile_v2").or_else(|| profile.get("profile"))?.clone();
            let name = profile.get("name").map(|n| text(n, "full_name").to_owned()).unwrap_or_default();
            let mails = profile.get("emails").map(|e| array(e, "emails").to_vec()).unwrap_or_default();
            let mails = mails.iter().filter_map(Value::as_str).map(str::to_owned).collect();
            (name, mails, Some(text(&profile, "username").to_owned()))
        }
        Service::Instagram => {
            let profile = lists::small(export, named("personal_information.json")?)?;
            let map = array(&profile, "profile_user").first()?.get("string_map_data")?.clone();
            let value = |key: &str| map.get(key).map(|v| text(v, "value").to_owned()).filter(|v| !v.is_empty());
            let mails = value("Email").into_iter().collect();
            (value("Name").or_else(|| value("Username"))?, mails, value("Username"))
        }
    };
    let name = repaired(&name).into_owned();
    let handles = handles.filter(|h| !h.is_empty()).into_iter().collect();
    let source = service.key().to_owned();
    (!name.is_empty()).then(|| Contact {
        source,
        key: name.clone(),
        name,
        addresses,
        handles,
        me: true,
        ..Contact::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_threads() {
        let people = ["Bo".to_owned(), "Ana".to_owned()];
        assert_eq!(key("inbox/ana_123", "x/inbox/other_9/message_1.json", &people, false), "123");
        assert_eq!(key("", "a.zip/messages/inbox/ana_xY-7/message_1.json", &people, false), "xY-7");
        assert_eq!(key("", "message_1.json", &people, false), "with Ana, Bo");
        assert_eq!(key("inbox/no underscore", "", &people, false), "no underscore");
        assert_eq!(thread_name("Ana B_40"), "Ana B");
        assert_eq!(number_of("a/message_12.json"), 12);
    }

    #[test]
    fn roots_of_exports() {
        assert_eq!(
            root("p1.zip/your_instagram_activity/messages/inbox/a_1/message_1.json"),
            "p1.zip/your_instagram_activity"
        );
        assert_eq!(root("inbox/a_1/message_1.json"), "");
        assert_eq!(root("x/y/chat.json"), "x/y");
    }
}
