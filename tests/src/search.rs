//! What a search must find on the way through everything: words of every script, filters, dates, meaning.

use crate::archive::{self, find, texts};
use evoke_memory::message::{Query, Sort, Unit};

#[tokio::test(flavor = "multi_thread")]
async fn words_of_every_script() {
    let (folder, memory) = archive::fresh().await;
    let lines = [
        (0, "Ana", "Wir haben die Hütten gebucht"),
        (10, "Jonas", "¿Quedamos en el café?"),
        (20, "由佳", "アナの手首が治るまで待とう。旅行は9月にしよう"),
        (30, "王", "我们明天去北京看望外婆"),
        (40, "민준", "내일 도서관에서 만나요"),
        (50, "สมชาย", "พรุ่งนี้ไปตลาดกันไหม"),
        (60, "Ольга", "Мы переехали в новую квартиру"),
        (70, "ليلى", "اشتريت كتابا جديدا"),
        (80, "Ana", "ok"),
    ];
    archive::import(&memory, &[archive::chat(folder.path(), "scripts", &lines)]).await;
    for (query, expected) in
        [("hutte", 0), ("CAFE", 1), ("旅行", 2), ("北京", 3), ("도서관", 4), ("ตลาด", 5), ("квартира", 6), ("كتابا", 7)]
    {
        let found = find(&memory, query).await;
        assert_eq!(texts(&found).first(), Some(&lines[expected].2), "{query}");
        assert!(!found.hits[0].highlights.is_empty(), "{query}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn meaning_finds_what_words_do_not() {
    let (folder, memory) = archive::fresh().await;
    let lines = [
        (0, "Ana", "the doctor put my wrist in plaster for six weeks"),
        (600, "Jonas", "the new espresso machine arrived today"),
        (1_200, "Ana", "wir kommen nun doch erst im Herbst"),
        (1_800, "Jonas", "I signed the contract for the flat in Porto"),
    ];
    archive::import(&memory, &[archive::chat(folder.path(), "meaning", &lines)]).await;
    for (query, expected) in [("broken arm", 0), ("coffee maker", 1), ("rental apartment", 3)] {
        let found = find(&memory, query).await;
        assert_eq!(texts(&found)[0], lines[expected].2, "{query}");
        let hit = &found.hits[0];
        assert!(hit.highlights.is_empty() && hit.similar.is_some(), "{query}: nothing matched, so nothing is bold");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_phrases_dates_and_sorting() {
    let (folder, memory) = archive::fresh().await;
    let day = 24 * 60;
    let lines = [
        (0, "Ana", "we move the trip to autumn"),
        (40 * day, "Jonas", "the trip is on"),
        (80 * day, "Ana", "trip report: remove the tripod"),
        (81 * day, "Ana", "nothing here"),
    ];
    archive::import(&memory, &[archive::chat(folder.path(), "Lofoten", &lines)]).await;
    let check = async |query: &str, expected: &[usize]| {
        let found = memory.search(&Query { text: query.into(), sort: Sort::Oldest, ..Query::default() }).await.unwrap();
        let wanted: Vec<&str> = expected.iter().map(|i| lines[*i].2).collect();
        assert_eq!(texts(&found), wanted, "{query}");
    };
    check("from:jonas", &[1]).await;
    check("\"move the trip\"", &[0]).await;
    check("from:ana -tripod -nothing", &[0]).await;
    check("trip in May 2023 in:lofoten", &[0]).await;
    check("before:2023-06-01", &[0]).await;
    check("on:2023-06-10", &[1]).await;
    check("after:2023-07 from:ana", &[]).await;
    check("source:telegram kind:chat after:2023-06", &[2, 3]).await;
    let nobody = find(&memory, "trip from:nobody").await;
    assert!(nobody.hits.is_empty());
    assert_eq!(nobody.offers.iter().map(|o| o.label.as_str()).collect::<Vec<_>>(), ["Without from nobody"]);
    assert!(nobody.offers[0].count > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn neighbours_timeline_and_day_add_up() {
    let (folder, memory) = archive::fresh().await;
    let texts: Vec<String> = (0..50).map(|i| format!("line number {i}")).collect();
    let lines: Vec<(i64, &str, &str)> =
        texts.iter().enumerate().map(|(i, t)| (i as i64 * 60, "Ana", t.as_str())).collect();
    archive::import(&memory, &[archive::chat(folder.path(), "count", &lines)]).await;
    let hit = find(&memory, "\"line number 25\"").await.hits[0].message.id;
    let page = memory.neighbours(hit, 2, 3).await.unwrap();
    assert_eq!(
        page.messages.iter().map(|m| m.text.as_str()).collect::<Vec<_>>(),
        texts[23..29].iter().collect::<Vec<_>>()
    );
    assert!(page.earlier && page.later && page.total == 50);
    for unit in [Unit::Hour, Unit::Day, Unit::Week, Unit::Month, Unit::Year] {
        let timeline = memory.timeline(None, unit, None, None).await.unwrap();
        assert_eq!((timeline.total, timeline.buckets.iter().map(|b| b.count).sum()), (50, 50u64));
    }
    let day = memory.day("2023-05-02", &[]).await.unwrap();
    assert_eq!((day.total, day.hours.len(), day.clusters[0].count), (24, 24, 24));
    let around = memory.messages_around(day.start, 4).await.unwrap();
    assert_eq!(around.iter().map(|m| m.text.as_str()).collect::<Vec<_>>(), texts[22..26].iter().collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_order_of_imports_changes_no_vector() {
    let (folder, one) = archive::fresh().await;
    let (_other_folder, other) = archive::fresh().await;
    let lines: Vec<(i64, &str, &str)> = vec![
        (0, "Ana", "I moved to Porto"),
        (2, "Jonas", "since when?"),
        (4, "Ana", "since March"),
        (6, "Jonas", "and the cat?"),
    ];
    let whole = archive::chat(folder.path(), "order", &lines);
    archive::import(&one, std::slice::from_ref(&whole)).await;
    let text = std::fs::read_to_string(&whole).unwrap();
    let mut late: serde_json::Value = serde_json::from_str(&text).unwrap();
    late["messages"].as_array_mut().unwrap().remove(1);
    std::fs::write(folder.path().join("order-late.json"), late.to_string()).unwrap();
    archive::import(&other, &[folder.path().join("order-late.json")]).await;
    archive::import(&other, &[whole]).await;
    for query in ["where does Ana live", "cat", "March"] {
        let (a, b) = (find(&one, query).await, find(&other, query).await);
        assert_eq!(texts(&a), texts(&b));
        for (a, b) in a.hits.iter().zip(&b.hits) {
            assert!((a.score - b.score).abs() < 1e-3, "{query}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_message_carries_can_be_asked_for() {
    let (folder, memory) = archive::fresh().await;
    let chat = folder.path().join("WhatsApp Chat with Ana.txt");
    let text = "02/05/2023, 10:00 - Ana: IMG-1.jpg (file attached)\nthe house on the hill\n\
                02/05/2023, 10:01 - Bo: PTT-2.opus (file attached)\n\
                02/05/2023, 10:02 - Ana: lease.pdf (file attached)\n\
                02/05/2023, 10:03 - Bo: look at https://example.org/house\n\
                02/05/2023, 10:04 - Ana: nothing but words about the house\n";
    std::fs::write(&chat, text).unwrap();
    archive::import(&memory, &[chat]).await;
    let one = async |query: &str| {
        let found = find(&memory, query).await;
        found.hits.iter().map(|h| h.message.time / 60_000 % 60).collect::<Vec<_>>()
    };
    for (query, minute) in [("has:image", 0), ("has:voice", 1), ("has:file", 2), ("has:link", 3)] {
        assert_eq!(one(query).await, [minute], "{query}");
    }
    let mut house = one("house has:image").await;
    house.extend(one("house has:link").await);
    assert_eq!(house, [0, 3], "also where words and meaning are searched");
    assert!(one("has:image has:link").await.is_empty());
    let everything = find(&memory, "from:ana").await;
    let facet = |key: &str| everything.facets.has.iter().find(|f| f.key == key).map(|f| f.count);
    assert_eq!((facet("image"), facet("file"), facet("voice")), (Some(1), Some(1), None));
    let image = &find(&memory, "has:image").await.hits[0].message.attachments[0];
    assert!(image.path.is_none() && image.missing.is_some(), "{image:?}");
}
