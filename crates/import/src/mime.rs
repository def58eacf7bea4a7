//! What kind of file a name or its first bytes say it is.

/// Endings and their media types: what people send each other.
const BY_ENDING: &[(&str, &str)] = &[
    ("jpg", "image/jpeg"),
    ("jpeg", "image/jpeg"),
    ("png", "image/png"),
    ("gif", "image/gif"),
    ("webp", "image/webp"),
    ("heic", "image/heic"),
    ("heif", "image/heif"),
    ("bmp", "image/bmp"),
    ("tif", "image/tiff"),
    ("tiff", "image/tiff"),
    ("svg", "image/svg+xml"),
    ("avif", "image/avif"),
    ("mp4", "video/mp4"),
    ("m4v", "video/mp4"),
    ("mov", "video/quicktime"),
    ("3gp", "video/3gpp"),
    ("webm", "video/webm"),
    ("mkv", "video/x-matroska"),
    ("avi", "video/x-msvideo"),
    ("opus", "audio/ogg"),
    ("ogg", "audio/ogg"),
    ("oga", "audio/ogg"),
    ("mp3", "audio/mpeg"),
    ("m4a", "audio/mp4"),
    ("aac", "audio/aac"),
    ("wav", "audio/wav"),
    ("amr", "audio/amr"),
    ("caf", "audio/x-caf"),
    ("flac", "audio/flac"),
    ("pdf", "application/pdf"),
    ("txt", "text/plain"),
    ("md", "text/markdown"),
    ("csv", "text/csv"),
    ("html", "text/html"),
    ("htm", "text/html"),
    ("vcf", "text/vcard"),
    ("ics", "text/calendar"),
    ("json", "application/json"),
    ("xml", "application/xml"),
    ("zip", "application/zip"),
    ("doc", "application/msword"),
    ("xls", "application/vnd.ms-excel"),
    ("ppt", "application/vnd.ms-powerpoint"),
    ("docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ("pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation"),
    ("odt", "application/vnd.oasis.opendocument.text"),
    ("rtf", "application/rtf"),
    ("epub", "application/epub+zip"),
    ("eml", "message/rfc822"),
];

/// The media type that the ending of a name stands for.
pub(crate) fn of_name(name: &str) -> Option<String> {
    let (_, ending) = name.rsplit_once('.')?;
    let found = BY_ENDING.iter().find(|(known, _)| ending.eq_ignore_ascii_case(known));
    found.map(|(_, mime)| (*mime).to_owned())
}

/// A name that says what it is: with the ending of its media type where it has none that is known.
pub(crate) fn named(name: &str, mime: &str) -> String {
    let ending = BY_ENDING.iter().find(|(_, known)| *known == mime).filter(|_| of_name(name).is_none());
    ending.map_or_else(|| name.to_owned(), |(ending, _)| format!("{name}.{ending}"))
}

/// True for what the name says is a picture, a sound or a film.
pub(crate) fn is_media(name: &str) -> bool {
    of_name(name).is_some_and(|mime| ["image/", "video/", "audio/"].iter().any(|media| mime.starts_with(media)))
}
