//! What labels, folders and flags say about a mail: spam, thrown away, a draft, sent by the owner.

use super::header::Header;
use evoke_message::fold;

/// Why a mail is not the owner's memory, or what else its place tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Spam,
    Trash,
    /// Removed in Thunderbird or in mutt, but still in its file.
    Removed,
    /// A record that mail programs keep for themselves.
    Internal,
    Sent,
    Draft,
    Other,
}

impl Place {
    /// Why it is not kept.
    pub(super) fn skipped(self) -> Option<&'static str> {
        match self {
            Place::Spam => Some("spam"),
            Place::Trash => Some("in the trash"),
            Place::Removed => Some("deleted in the mail program, though still in its file"),
            Place::Internal => Some("a record of the mail program for itself, not a mail"),
            Place::Sent | Place::Draft | Place::Other => None,
        }
    }
}

/// Folded names of labels and folders in the languages of Gmail, Thunderbird, Outlook and Apple Mail.
const SPAM: &[&str] = &[
    "spam",
    "junk",
    "junk e-mail",
    "junk email",
    "junk mail",
    "bulk mail",
    "unerwunscht",
    "junk-e-mail",
    "spamverdacht",
    "courrier indesirable",
    "indesirables",
    "correo no deseado",
    "no deseado",
    "posta indesiderata",
    "lixo eletronico",
    "ongewenste e-mail",
    "ongewenst",
    "skrappost",
    "soppelpost",
    "roskaposti",
    "спам",
    "нежелательная почта",
    "迷惑メール",
    "垃圾邮件",
    "垃圾郵件",
    "스팸함",
    "스팸",
    "istenmeyen posta",
    "gereksiz",
];
const TRASH: &[&str] = &[
    "trash",
    "deleted items",
    "deleted messages",
    "bin",
    "papierkorb",
    "geloschte elemente",
    "geloschte objekte",
    "geloscht",
    "corbeille",
    "elements supprimes",
    "papelera",
    "elementos eliminados",
    "cestino",
    "posta eliminata",
    "lixeira",
    "lixo",
    "itens excluidos",
    "prullenbak",
    "verwijderde items",
    "kosz",
    "elementy usuniete",
    "papperskorgen",
    "papirkurv",
    "papirkorg",
    "roskakori",
    "kos",
    "корзина",
    "удаленные",
    "ゴミ箱",
    "已删除邮件",
    "已删除",
    "垃圾桶",
    "휴지통",
    "cop kutusu",
    "cop",
];
const SENT: &[&str] = &[
    "sent",
    "sent items",
    "sent mail",
    "sent messages",
    "sent-mail",
    "gesendet",
    "gesendete elemente",
    "gesendete objekte",
    "envoyes",
    "messages envoyes",
    "elements envoyes",
    "enviados",
    "elementos enviados",
    "itens enviados",
    "e-mails enviados",
    "posta inviata",
    "inviati",
    "verzonden",
    "verzonden items",
    "wyslane",
    "elementy wyslane",
    "skickat",
    "skickade",
    "sendt",
    "sendte",
    "lahetetyt",
    "odeslane",
    "отправленные",
    "送信済み",
    "送信済みメール",
    "已发邮件",
    "已发送",
    "寄件備份",
    "보낸편지함",
    "gonderilmis postalar",
    "gonderilmis",
    "gonderilmis ogeler",
    "הודעות שנשלחו",
    "البريد المرسل",
];
const DRAFT: &[&str] = &[
    "drafts",
    "draft",
    "entwurfe",
    "entwurf",
    "brouillons",
    "brouillon",
    "borradores",
    "borrador",
    "bozze",
    "rascunhos",
    "concepten",
    "wersje robocze",
    "utkast",
    "kladder",
    "luonnokset",
    "koncepty",
    "черновики",
    "下書き",
    "草稿",
    "임시보관함",
    "taslaklar",
    "templates",
    "outbox",
    "postausgang",
    "vorlagen",
];

fn named(name: &str) -> Place {
    let folded = fold(name.trim());
    let folded = folded.trim_start_matches(['.', '[']).trim_end_matches(']');
    match folded {
        name if SPAM.contains(&name) => Place::Spam,
        name if TRASH.contains(&name) => Place::Trash,
        name if SENT.contains(&name) => Place::Sent,
        name if DRAFT.contains(&name) => Place::Draft,
        _ => Place::Other,
    }
}

/// What the folders of a path inside the export say: `Mail/Sent.mbox/mbox`, `.Sent.2020/cur/…`, `Trash.sbd/Old`.
pub(super) fn of_path(path: &str) -> Place {
    let parts = path.split('/').flat_map(|part| {
        let stem = [".mbox", ".sbd", ".imapmbox", ".mbx", ".mail"]
            .iter()
            .find_map(|end| part.strip_suffix(end))
            .unwrap_or(part);
        // Maildir joins folders by dots.
        std::iter::once(stem).chain(stem.starts_with('.').then(|| stem.split('.')).into_iter().flatten())
    });
    let mut places: Vec<Place> = parts.map(named).filter(|p| *p != Place::Other).collect();
    places.sort_by_key(|p| p.skipped().is_none());
    places.first().copied().unwrap_or(Place::Other)
}

/// What the mail itself says, and the flags in its file's name (Maildir).
pub(super) fn of_mail(header: &Header, file_name: &str) -> Place {
    if header.get("subject").is_some_and(|s| s.contains("FOLDER INTERNAL DATA"))
        || header.get("x-imap").is_some() && header.get("from").is_some_and(|f| f.contains("MAILER-DAEMON"))
    {
        return Place::Internal;
    }
    let mozilla = header.get("x-mozilla-status").and_then(|s| u32::from_str_radix(s.trim(), 16).ok()).unwrap_or(0);
    let status = header.get("x-status").unwrap_or_default();
    if mozilla & 0x8 != 0 || status.contains('D') {
        return Place::Removed;
    }
    let labels: Vec<Place> = header.labels().iter().map(|l| named(l)).collect();
    let flags =
        file_name.rsplit_once([':', ';', '!']).and_then(|(_, info)| info.strip_prefix("2,")).unwrap_or_default();
    let has = |place| labels.contains(&place);
    match () {
        () if has(Place::Spam) => Place::Spam,
        () if has(Place::Trash) || flags.contains('T') => Place::Trash,
        () if has(Place::Draft)
            || flags.contains('D')
            || header.get("x-mozilla-draft-info").is_some()
                && header.get("received").is_none()
                && header.get("message-id").is_none() =>
        {
            Place::Draft
        }
        () if has(Place::Sent) => Place::Sent,
        () => Place::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_by_folder_label_and_flag() {
        for (path, place) in [
            ("Mail/Sent.mbox/mbox", Place::Sent),
            (".Trash/cur/1:2,S", Place::Trash),
            (".Sent.2020/cur/1", Place::Sent),
            ("[Gmail].sbd/Entwürfe", Place::Draft),
            ("Takeout/Mail/All mail Including Spam and Trash.mbox", Place::Other),
            ("INBOX", Place::Other),
        ] {
            assert_eq!(of_path(path), place, "{path}");
        }
        for (mail, name, place) in [
            ("X-Gmail-Labels: Inbox,Opened", "", Place::Other),
            ("X-Gmail-Labels: =?UTF-8?Q?Gesendet,Ge=C3=B6ffnet?=", "", Place::Sent),
            ("X-Gmail-Labels: Spam,Unread", "", Place::Spam),
            ("X-Mozilla-Status: 0009", "", Place::Removed),
            ("X-Mozilla-Status: 0001", "", Place::Other),
            ("Subject: x", "17.host:2,ST", Place::Trash),
            ("Subject: x", "17.host;2,DS", Place::Draft),
        ] {
            assert_eq!(of_mail(&Header::of(mail.as_bytes()), name), place, "{mail} {name}");
        }
    }
}
