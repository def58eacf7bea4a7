//! The name of a chat, from the names that phones give to exported files.

/// What stands before the name in "WhatsApp Chat with Ana.txt", lower case, `_` as space.
const BEFORE: &[&str] = &[
    "whatsapp chat with ",
    "whatsapp chat mit ",
    "whatsapp-chat mit ",
    "chat de whatsapp con ",
    "chat whatsapp con ",
    "chat di whatsapp con ",
    "discussion whatsapp avec ",
    "conversation whatsapp avec ",
    "conversa do whatsapp com ",
    "conversa whatsapp com ",
    "whatsapp-chat met ",
    "whatsapp chat met ",
    "whatsapp-chatt med ",
    "whatsapp-chat med ",
    "whatsapp chat med ",
    "whatsapp-samtale med ",
    "whatsapp-keskustelu henkilön kanssa ",
    "czat whatsapp z ",
    "rozmowa whatsapp z ",
    "чат whatsapp с контактом ",
    "чат whatsapp с ",
    "чат whatsapp з ",
    "chat whatsapp s ",
    "konverzace whatsapp s ",
    "chat whatsapp cu ",
    "conversație whatsapp cu ",
    "συνομιλία whatsapp με ",
    "chat whatsapp dengan ",
    "percakapan whatsapp dengan ",
    "sembang whatsapp dengan ",
    "trò chuyện whatsapp với ",
    "محادثة واتساب مع ",
    "دردشة واتساب مع ",
    "گپ واتساپ با ",
    "צ'אט whatsapp עם ",
    "与",
    "與",
    "whatsapp chat - ",
];

/// What stands after the name: "Ana ile WhatsApp Sohbeti.txt".
const AFTER: &[&str] = &[
    " ile whatsapp sohbeti",
    " के साथ whatsapp चैट",
    "とのwhatsappチャット",
    "님과 whatsapp 대화",
    "님과의 whatsapp 대화",
    "的 whatsapp 聊天记录",
    "的 whatsapp 聊天",
    "的whatsapp聊天",
    "的 whatsapp 對話",
];

/// Names that say nothing about who is in the chat.
const NO_NAMES: &[&str] = &[
    "chat",
    "chats",
    "whatsapp",
    "whatsapp chat",
    "whatsapp chats",
    "_chat",
    "export",
    "exports",
    "media",
    "files",
    "folder",
    "new folder",
    "neuer ordner",
    "untitled folder",
    "downloads",
    "download",
    "desktop",
    "documents",
    "schreibtisch",
    "dokumente",
    "tmp",
    "temp",
    "archive",
    "archiv",
    "backup",
    "messages",
    "data",
    "test",
    "home",
];

/// The chat that `name` (of a file, a zip or a folder) is about, where it has the form that WhatsApp gives it.
pub(super) fn chat_named(name: &str) -> Option<String> {
    let name = stem(name);
    let spaced = if name.contains(' ') { name.to_owned() } else { name.replace('_', " ") };
    let lower = spaced.to_lowercase();
    let says_whatsapp = lower.contains("whatsapp") || lower.contains("واتسا");
    // Cutting by position needs the two forms to agree; a few letters change their length.
    if !says_whatsapp || lower.len() != spaced.len() {
        return None;
    }
    let after = AFTER.iter().find(|after| lower.ends_with(**after)).map_or(0, |after| after.len());
    let before = BEFORE.iter().find(|before| lower.starts_with(**before)).map_or(0, |before| before.len());
    let chat = match (before, after) {
        (0, 0) => spaced.split_once(" - ").filter(|(app, _)| app.to_lowercase().contains("whatsapp"))?.1,
        _ => spaced.get(before..spaced.len().checked_sub(after)?)?,
    };
    Some(chat.trim().to_owned()).filter(|chat| !chat.is_empty())
}

/// Any other name, where it says something.
pub(super) fn other_name(name: &str) -> Option<String> {
    let name = stem(name).trim().to_owned();
    (!name.is_empty() && !NO_NAMES.contains(&name.to_lowercase().as_str())).then_some(name)
}

/// Without ` (1)` and the ending that browsers and systems add.
fn stem(name: &str) -> &str {
    let mut stem = name;
    for end in [".txt", ".zip", ".TXT", ".ZIP"] {
        stem = stem.strip_suffix(end).unwrap_or(stem);
    }
    let counted = stem.strip_suffix(')').and_then(|s| s.rsplit_once(" ("));
    match counted {
        Some((before, n)) if (1..=3).contains(&n.len()) && n.bytes().all(|b| b.is_ascii_digit()) => before,
        _ => stem,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_many_languages() {
        for (name, expected) in [
            ("WhatsApp Chat with Ana.txt", "Ana"),
            ("WhatsApp Chat - Ana.zip", "Ana"),
            ("WhatsApp Chat - Ana (1).zip", "Ana"),
            ("WhatsApp Chat - Ana - Work", "Ana - Work"),
            ("WhatsApp Chat mit Ana & Bo.txt", "Ana & Bo"),
            ("Chat de WhatsApp con Ana.txt", "Ana"),
            ("Chat WhatsApp con Ana.zip", "Ana"),
            ("Discussion WhatsApp avec Ana.txt", "Ana"),
            ("Conversa do WhatsApp com Ana.txt", "Ana"),
            ("WhatsApp-chat met Ana.txt", "Ana"),
            ("Чат WhatsApp с контактом Ana.txt", "Ana"),
            ("Ana ile WhatsApp Sohbeti.txt", "Ana"),
            ("与Ana的 WhatsApp 聊天.txt", "Ana"),
            ("WhatsApp_Chat_with_Ana_B.txt", "Ana B"),
            ("WhatsApp 대화 - Ana.zip", "Ana"),
        ] {
            assert_eq!(chat_named(name).as_deref(), Some(expected), "{name}");
        }
        for name in ["_chat.txt", "Ana.txt", "WhatsApp.zip", "WhatsApp Chat with .txt"] {
            assert_eq!(chat_named(name), None, "{name}");
        }
    }

    #[test]
    fn other_names_must_say_something() {
        for (name, expected) in
            [("Family (2).txt", Some("Family")), ("_chat.txt", None), ("Downloads", None), ("a (b).txt", Some("a (b)"))]
        {
            assert_eq!(other_name(name).as_deref(), expected, "{name}");
        }
    }
}
