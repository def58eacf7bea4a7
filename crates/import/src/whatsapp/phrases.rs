//! What WhatsApp itself writes into a chat, in the languages that phones have.
//!
//! None of these lists can be complete; where a phrase is unknown, signs that do not depend on the
//! language (U+200E, `<…>`, file names) decide in `body.rs`, and the text is kept as it is.

use evoke_message::normalise;

/// Form in which phrases are compared: lower case, plain spaces, no full stop at the end.
pub(super) fn plain(text: &str) -> String {
    normalise(text).to_lowercase().trim().trim_end_matches(['.', '。', '।', '!']).to_owned()
}

/// A message that was taken back; the whole text.
pub(super) fn is_deleted(plain: &str) -> bool {
    DELETED.contains(&plain)
}

const DELETED: &[&str] = &[
    "this message was deleted",
    "you deleted this message",
    "this message was deleted by admin",
    "diese nachricht wurde gelöscht",
    "du hast diese nachricht gelöscht",
    "se eliminó este mensaje",
    "eliminaste este mensaje",
    "este mensaje fue eliminado",
    "este mensaje se eliminó",
    "ce message a été supprimé",
    "vous avez supprimé ce message",
    "questo messaggio è stato eliminato",
    "hai eliminato questo messaggio",
    "mensagem apagada",
    "essa mensagem foi apagada",
    "esta mensagem foi apagada",
    "você apagou esta mensagem",
    "você apagou essa mensagem",
    "apagou esta mensagem",
    "dit bericht is verwijderd",
    "dit bericht werd verwijderd",
    "je hebt dit bericht verwijderd",
    "u hebt dit bericht verwijderd",
    "данное сообщение удалено",
    "это сообщение было удалено",
    "сообщение удалено",
    "вы удалили данное сообщение",
    "вы удалили это сообщение",
    "ви видалили це повідомлення",
    "це повідомлення було видалено",
    "ta wiadomość została usunięta",
    "ta wiadomość została usunięta przez nadawcę",
    "usunięto tę wiadomość",
    "bu mesaj silindi",
    "bu mesajı sildiniz",
    "det här meddelandet raderades",
    "du raderade detta meddelande",
    "denne meldingen ble slettet",
    "denne besked blev slettet",
    "du slettede denne besked",
    "tämä viesti poistettiin",
    "poistit tämän viestin",
    "tato zpráva byla odstraněna",
    "acest mesaj a fost șters",
    "ez az üzenet törölve lett",
    "αυτό το μήνυμα διαγράφηκε",
    "pesan ini telah dihapus",
    "anda menghapus pesan ini",
    "pesanan ini telah dipadamkan",
    "tin nhắn này đã bị xóa",
    "此消息已删除",
    "此消息已被删除",
    "您已删除此消息",
    "你已删除此消息",
    "此訊息已刪除",
    "你已刪除此訊息",
    "このメッセージは削除されました",
    "このメッセージを削除しました",
    "삭제된 메시지입니다",
    "이 메시지를 삭제했습니다",
    "تم حذف هذه الرسالة",
    "حذفت هذه الرسالة",
    "لقد حذفت هذه الرسالة",
    "این پیام حذف شد",
    "הודעה זו נמחקה",
    "מחקת הודעה זו",
    "यह संदेश हटा दिया गया",
    "यह मैसेज डिलीट किया गया",
    "यह मैसेज डिलीट कर दिया गया है",
    "आपने यह मैसेज डिलीट किया",
];

/// What stands in the angle brackets at the end of a message that was edited.
pub(super) fn is_edited(plain: &str) -> bool {
    EDITED.contains(&plain)
}

const EDITED: &[&str] = &[
    "this message was edited",
    "diese nachricht wurde bearbeitet",
    "se editó este mensaje",
    "este mensaje fue editado",
    "ce message a été modifié",
    "questo messaggio è stato modificato",
    "mensagem editada",
    "essa mensagem foi editada",
    "esta mensagem foi editada",
    "dit bericht is bewerkt",
    "сообщение изменено",
    "данное сообщение изменено",
    "ta wiadomość została edytowana",
    "wiadomość edytowana",
    "bu mesaj düzenlendi",
    "det här meddelandet har redigerats",
    "pesan ini diedit",
    "此消息已编辑",
    "此訊息已編輯",
    "このメッセージは編集されました",
    "이 메시지가 수정되었습니다",
    "تم تعديل هذه الرسالة",
    "यह मैसेज एडिट किया गया",
];

/// In place of any file, on Android: the text between `<` and `>`.
pub(super) fn is_media_omitted(plain: &str) -> bool {
    MEDIA_OMITTED.contains(&plain)
}

const MEDIA_OMITTED: &[&str] = &[
    "media omitted",
    "medien ausgeschlossen",
    "medien weggelassen",
    "multimedia omitido",
    "archivo omitido",
    "médias omis",
    "média omis",
    "fichier omis",
    "media omessi",
    "media omesso",
    "mídia oculta",
    "arquivo de mídia oculto",
    "ficheiro não revelado",
    "media weggelaten",
    "без медиафайлов",
    "медиафайл пропущен",
    "медіафайл пропущено",
    "pominięto multimedia",
    "medya dahil edilmedi",
    "medya atlanmış",
    "mediet utelämnat",
    "media har utelämnats",
    "mediefil utelatt",
    "medier udeladt",
    "media jätettiin pois",
    "média vynechána",
    "fișier media omis",
    "hiányzó médiafájl",
    "τα πολυμέσα παραλείφθηκαν",
    "media tidak disertakan",
    "media disembunyikan",
    "省略多媒体文件",
    "忽略多媒体文件",
    "已忽略多媒体文件",
    "媒體已略去",
    "メディアは含まれていません",
    "メディアファイルを除く",
    "미디어 파일을 제외한 내보내기",
    "미디어 파일 제외됨",
    "تم استبعاد الوسائط",
    "استبعاد الوسائط",
    "رسانه حذف شد",
    "המדיה לא נכללה",
    "मीडिया छोड़ा गया",
    "मीडिया के बिना",
];

/// The kind of a file that was left out on iOS, from "image omitted" in any language known here;
/// none for every other text. The kind is given in the words of the file.
pub(super) fn omitted_kind(plain: &str) -> Option<String> {
    let kind = OMITTED.iter().find_map(|word| plain.strip_suffix(word).or_else(|| plain.strip_prefix(word)))?;
    let kind = kind.trim();
    (kind.chars().count() <= 24).then(|| if kind.is_empty() { "media".to_owned() } else { kind.to_owned() })
}

/// With its space where the language has one.
const OMITTED: &[&str] = &[
    " omitted",
    " weggelassen",
    " ausgelassen",
    " omitida",
    " omitido",
    " omitidas",
    " omitidos",
    " absente",
    " absent",
    " omis",
    " omise",
    " omessa",
    " omesso",
    " omessi",
    " ocultada",
    " ocultado",
    " oculta",
    " oculto",
    " weggelaten",
    " utelämnad",
    " utelämnat",
    " utelatt",
    " udeladt",
    " jätetty pois",
    " отсутствует",
    " пропущено",
    " опущено",
    " pominięto",
    " pominięty",
    " dahil edilmedi",
    " vynechán",
    " vynechána",
    " omisă",
    " παραλείφθηκε",
    " tidak disertakan",
    " dihilangkan",
    "已忽略",
    "已略去",
    "已省略",
    "は含まれていません",
    "を除外しました",
    "생략된 ",
    " 제외됨",
    "تم استبعاد ",
    " הושמט",
    " הושמטה",
    " छोड़ा गया",
];

/// Words for "attached": before the colon in `<attached: x.jpg>`, or in `x.jpg (file attached)`.
pub(super) fn is_attached(plain: &str) -> bool {
    ATTACHED.contains(&plain)
}

const ATTACHED: &[&str] = &[
    "attached",
    "file attached",
    "anhang",
    "datei angehängt",
    "adjunto",
    "archivo adjunto",
    "pièce jointe",
    "fichier joint",
    "allegato",
    "file allegato",
    "anexado",
    "arquivo anexado",
    "ficheiro anexado",
    "bijlage",
    "bijgevoegd",
    "bestand bijgevoegd",
    "прикреплено",
    "файл добавлен",
    "прикріплено",
    "файл додано",
    "załączono",
    "załączono plik",
    "plik załączony",
    "eklendi",
    "dosya ekli",
    "bifogad",
    "bifogad fil",
    "vedlegg",
    "vedhæftet",
    "fil vedhæftet",
    "fil vedlagt",
    "liite",
    "tiedosto liitetty",
    "přiloženo",
    "soubor byl přiložen",
    "fișier atașat",
    "fájl csatolva",
    "συνημμένο αρχείο",
    "terlampir",
    "file terlampir",
    "fail dilampirkan",
    "đính kèm",
    "附件",
    "文件附件",
    "附件文件",
    "檔案已附上",
    "添付ファイル",
    "ファイル添付",
    "첨부됨",
    "파일 첨부됨",
    "مرفق",
    "ملف مرفق",
    "פרוס",
    "קובץ מצורף",
    "फ़ाइल संलग्न",
    "फ़ाइल अटैच की गई है",
];

/// True for a line about a call: "Missed voice call", "Video call, 5 min". `certain`: WhatsApp wrote
/// it, so that the beginning is enough.
pub(super) fn is_call(plain: &str, certain: bool) -> bool {
    CALLS.iter().any(|call| match plain.strip_prefix(call) {
        Some("") => true,
        Some(rest) => certain && rest.starts_with([',', '.', ' ', '،', '，']),
        None => false,
    })
}

const CALLS: &[&str] = &[
    "missed voice call",
    "missed video call",
    "missed group voice call",
    "missed group video call",
    "missed group call",
    "missed call",
    "silenced voice call",
    "silenced video call",
    "voice call",
    "video call",
    "group call",
    "verpasster sprachanruf",
    "verpasster videoanruf",
    "verpasster anruf",
    "verpasster gruppenanruf",
    "sprachanruf",
    "videoanruf",
    "llamada perdida",
    "llamada de voz perdida",
    "videollamada perdida",
    "llamada de voz",
    "videollamada",
    "appel vocal manqué",
    "appel vidéo manqué",
    "appel manqué",
    "appel vocal",
    "appel vidéo",
    "chiamata persa",
    "chiamata vocale persa",
    "videochiamata persa",
    "chiamata vocale",
    "videochiamata",
    "ligação de voz perdida",
    "ligação de vídeo perdida",
    "chamada de voz perdida",
    "chamada de vídeo perdida",
    "ligação de voz",
    "ligação de vídeo",
    "chamada de voz",
    "chamada de vídeo",
    "videochamada",
    "gemiste spraakoproep",
    "gemiste video-oproep",
    "spraakoproep",
    "video-oproep",
    "пропущенный аудиозвонок",
    "пропущенный видеозвонок",
    "аудиозвонок",
    "видеозвонок",
    "nieodebrane połączenie głosowe",
    "nieodebrane połączenie wideo",
    "połączenie głosowe",
    "połączenie wideo",
    "cevapsız sesli arama",
    "cevapsız görüntülü arama",
    "sesli arama",
    "görüntülü arama",
    "missat röstsamtal",
    "missat videosamtal",
    "röstsamtal",
    "videosamtal",
    "panggilan suara tak terjawab",
    "panggilan video tak terjawab",
    "未接语音通话",
    "未接视频通话",
    "未接語音通話",
    "未接視訊通話",
    "语音通话",
    "视频通话",
    "不在着信",
    "音声通話",
    "ビデオ通話",
    "부재중 음성전화",
    "부재중 영상통화",
    "مكالمة صوتية فائتة",
    "مكالمة فيديو فائتة",
    "שיחה קולית שלא נענתה",
    "שיחת וידאו שלא נענתה",
    "मिस्ड वॉइस कॉल",
    "मिस्ड वीडियो कॉल",
];

/// True for a line that only a group has.
pub(super) fn is_about_a_group(plain: &str) -> bool {
    GROUP.iter().any(|word| plain.contains(word))
}

const GROUP: &[&str] = &[
    "group",
    "grupp",
    "grupo",
    "groupe",
    "gruppo",
    "groep",
    "групп",
    "груп",
    "grup",
    "ryhmä",
    "skupin",
    "csoport",
    "ομάδα",
    "nhóm",
    "กลุ่ม",
    "群组",
    "群組",
    "群聊",
    "グループ",
    "그룹",
    "المجموعة",
    "مجموعة",
    "گروه",
    "הקבוצה",
    "קבוצה",
    "ग्रुप",
    "समूह",
];

/// True where the text before a colon tells what happened instead of naming somebody.
pub(super) fn tells_an_event(name: &str) -> bool {
    let quotes = name.chars().filter(|c| matches!(c, '"' | '“' | '”' | '„' | '«' | '»')).count();
    let plain = plain(name);
    quotes % 2 == 1 || EVENTS.iter().any(|event| plain.contains(event))
}

const EVENTS: &[&str] = &[
    " changed the ",
    " changed this group",
    " changed their ",
    " created group",
    " created this group",
    " security code ",
    " pinned a ",
    " turned on ",
    " turned off ",
    " hat den betreff",
    " hat die gruppe",
    " hat das gruppenbild",
    " cambió el asunto",
    " cambió la descripción",
    " creó el grupo",
    " a changé ",
    " a modifié ",
    " a créé le groupe",
    " ha cambiato ",
    " ha modificato ",
    " ha creato il gruppo",
    " mudou o ",
    " mudou a ",
    " alterou o ",
    " alterou a ",
    " criou o grupo",
    " heeft het onderwerp",
    " heeft de groep",
    " изменил",
    " создал",
    " zmienił",
    " utworzył",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn omitted_files_name_their_kind() {
        for (input, expected) in [
            ("image omitted", Some("image")),
            ("Contact card omitted", Some("contact card")),
            ("Bild weggelassen", Some("bild")),
            ("图像已忽略", Some("图像")),
            ("생략된 사진", Some("사진")),
            ("I am not omitted from the guest list", None),
            ("hello", None),
        ] {
            assert_eq!(omitted_kind(&plain(input)).as_deref(), expected, "{input}");
        }
    }

    #[test]
    fn calls_need_more_than_a_beginning_when_a_person_may_have_written_them() {
        assert!(is_call(&plain("Missed voice call"), false));
        assert!(is_call(&plain("Video call, \u{200e}5 min"), true));
        assert!(!is_call(&plain("Video call, tonight?"), false));
        assert!(!is_call(&plain("Video calls are fun"), true));
    }

    #[test]
    fn an_event_is_no_name() {
        assert!(tells_an_event("Ana changed the subject to \"trip"));
        assert!(tells_an_event("+12 345 created group Trip"));
        for name in ["Ana", "John \"J\" Doe", "~ Ana", "+12 345 578", "🤓"] {
            assert!(!tells_an_event(name), "{name}");
        }
    }
}
