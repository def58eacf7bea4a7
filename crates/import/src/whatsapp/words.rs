//! Words that phones put into dates: halves of the day, and what stands before or after a time.
//!
//! Lower case, without dots and spaces, as `Scan::word` compares them. From the patterns of the
//! Unicode locale data (CLDR) for short and medium times.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Half {
    Am,
    Pm,
}

use Half::{Am, Pm};

pub(super) const HALVES: &[(&str, Half)] = &[
    ("am", Am),
    ("pm", Pm),
    // Greek, also with the micro sign
    ("πμ", Am),
    ("μμ", Pm),
    ("πµ", Am),
    ("µµ", Pm),
    // Chinese, Japanese, Korean
    ("凌晨", Am),
    ("清晨", Am),
    ("早上", Am),
    ("上午", Am),
    ("中午", Pm),
    ("下午", Pm),
    ("傍晚", Pm),
    ("晚上", Pm),
    ("午前", Am),
    ("午後", Pm),
    ("오전", Am),
    ("오후", Pm),
    // Arabic, Persian, Hebrew
    ("ص", Am),
    ("م", Pm),
    ("صباحًا", Am),
    ("صباحا", Am),
    ("مساءً", Pm),
    ("مساء", Pm),
    ("قظ", Am),
    ("بظ", Pm),
    ("قبلازظهر", Am),
    ("بعدازظهر", Pm),
    ("לפנהצ", Am),
    ("אחהצ", Pm),
    ("בבוקר", Am),
    ("בערב", Pm),
    // India and neighbours
    ("पूर्वाह्न", Am),
    ("अपराह्न", Pm),
    ("मपू", Am),
    ("मउ", Pm),
    ("পূর্বাহ্ণ", Am),
    ("অপরাহ্ণ", Pm),
    ("পূর্বাহ্ন", Am),
    ("অপরাহ্ন", Pm),
    ("முற்பகல்", Am),
    ("பிற்பகல்", Pm),
    ("ਪੂਦੁ", Am),
    ("ਬਾਦੁ", Pm),
    ("පෙව", Am),
    ("පව", Pm),
    // South-East Asia
    ("ก่อนเที่ยง", Am),
    ("หลังเที่ยง", Pm),
    ("sa", Am),
    ("ch", Pm),
    ("pg", Am),
    ("ptg", Pm),
    ("နံနက်", Am),
    ("ညနေ", Pm),
    ("ព្រឹក", Am),
    ("ល្ងាច", Pm),
    // Europe, Turkey, Africa
    ("vorm", Am),
    ("nachm", Pm),
    ("de", Am),
    ("du", Pm),
    ("fm", Am),
    ("em", Pm),
    ("ap", Am),
    ("ip", Pm),
    ("dop", Am),
    ("odp", Pm),
    ("pop", Pm),
    ("pd", Am),
    ("md", Pm),
    ("проб", Am),
    ("слоб", Pm),
    ("дп", Am),
    ("пп", Pm),
    ("öö", Am),
    ("ös", Pm),
    ("ጥዋት", Am),
    ("ከሰዓት", Pm),
];

/// Between date and time.
pub(super) const BEFORE_TIME: &[(&str, ())] = &[
    ("klo", ()),
    ("kl", ()),
    ("um", ()),
    ("om", ()),
    ("u", ()),
    ("à", ()),
    ("às", ()),
    ("г", ()),
    ("р", ()),
    ("lúc", ()),
    ("at", ()),
];

/// After a time, in place of a half of the day.
pub(super) const AFTER_TIME: &[(&str, ())] =
    &[("uhr", ()), ("h", ()), ("hs", ()), ("hrs", ()), ("s", ()), ("min", ()), ("น", ()), ("ч", ()), ("kl", ())];
