//! What becomes slower as the messenger is used more: `cargo bench -p windi-local --bench growth`.
//!
//! It measures, prints and draws (`docs/growth.svg`), with what each curve should be beside it:
//!
//! * how long a message takes until the last member of its chat has it, by members: as long as the posts, so a line;
//! * how long a message takes between two people, by sockets that are open and idle: always the same;
//! * a page in the middle of a history, by messages in the chat: always the same. All chats are in one table, so this is the
//!   chat's size and not the table's. The search index, which a page does not use, is dropped for the filling;
//! * a page of 50 of the list of chats, by chats of the person: always the same.
//!
//! Filling the chats takes some minutes and 5 GB of disk. `-- 1000000` stops at as many messages and draws nothing.

#![expect(clippy::unwrap_used, reason = "a benchmark ends where something unexpected happens")]

mod support;

use std::error::Error;
use std::time::Instant;

use plotters::prelude::*;
use sqlx::AssertSqlSafe;
use support::idle::{self, Idle};
use support::median;
use support::messenger::{self, Messenger, Person};
use support::room::Room;
use windi_shared::db::Database;
use windi_shared::db::messages::{self, Page};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const MEMBERS: [usize; 4] = [2, 10, 100, 1_000];
const SOCKETS: [usize; 4] = [1, 100, 1_000, 10_000];
const MESSAGES: [usize; 5] = [1_000, 10_000, 100_000, 1_000_000, 10_000_000];
const CHATS: [usize; 3] = [10, 100, 1_000];
const ROUNDS: usize = 100;
const WARM_UP: usize = 20;

const GREY: RGBColor = RGBColor(160, 160, 160);

/// Measured values, each with the size it belongs to.
type Points = Vec<(f64, f64)>;

/// Numbers of chats: the rooms, those that are listed, and those with long histories.
const ROOMS: usize = 1_000;
const LISTED: usize = 10_000;
const HISTORIES: usize = 90_000;
/// Numbers of people: two who talk, the rooms' members, those who are idle, and those with many chats.
const TALKING: usize = 0;
const IN_ROOMS: usize = 2;
const IDLE: usize = IN_ROOMS + MEMBERS[3];
const LISTING: usize = IDLE + SOCKETS[3];
const PEOPLE: usize = LISTING + CHATS.len();

#[tokio::main]
async fn main() {
    idle::begin().await;
    let most = std::env::args().find_map(|argument| argument.parse().ok()).unwrap_or(usize::MAX);
    let messenger = Messenger::start().await;
    messenger::add_people(&messenger.app.db, 0..PEOPLE).await;
    messenger::add_private_chats(&messenger.app.db, 0..1).await;
    let people = messenger.log_in(0..PEOPLE).await;
    let curves = [
        ("ms until the last member has it / members", by_members(&messenger, &people).await),
        ("ms between two people / open sockets", by_sockets(&messenger, &people).await),
        ("ms for a list of chats / chats", by_chats(&messenger, &people).await),
        ("ms for a page of history / messages", by_messages(&messenger, most).await),
    ];
    for (what, points) in &curves {
        let of_first = |value: f64| value / points[0].1;
        let line: Vec<_> =
            points.iter().map(|(size, value)| format!("{size}: {value:.3} ({:.2}×)", of_first(*value))).collect();
        println!("{what}: {}", line.join(", "));
    }
    if most == usize::MAX {
        draw(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/growth.svg"), &curves).unwrap();
    }
    messenger.stop().await;
}

async fn by_members(messenger: &Messenger, people: &[Person]) -> Points {
    let mut points = Vec::new();
    for (number, members) in MEMBERS.into_iter().enumerate() {
        let chat = ROOMS + number;
        messenger::add_group(&messenger.app.db, chat, IN_ROOMS..IN_ROOMS + members).await;
        let members = &people[IN_ROOMS..IN_ROOMS + members];
        let mut room = Room::open(&messenger.base, messenger::chat(chat), members).await;
        points.push((members.len() as f64, median_of(async || room.send().await.1).await));
        drop(room);
        messenger.all_gone(members).await;
    }
    points
}

async fn by_sockets(messenger: &Messenger, people: &[Person]) -> Points {
    let mut points = Vec::new();
    for sockets in SOCKETS {
        let idle = Idle::open(&messenger.base, &people[IDLE..IDLE + sockets]).await;
        let mut talk = Room::open(&messenger.base, messenger::chat(TALKING), &people[..2]).await;
        points.push((sockets as f64, median_of(async || talk.send().await.1).await));
        drop((idle, talk));
        messenger.all_gone(people).await;
    }
    points
}

/// Over HTTP. The chats were active one after another, ten minutes apart.
async fn by_chats(messenger: &Messenger, people: &[Person]) -> Points {
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let mut points = Vec::new();
    for (number, chats) in CHATS.into_iter().enumerate() {
        let person = LISTING + number;
        let first = LISTED + 10_000 * number;
        for statement in [
            format!(
                "insert into chats (chat_id, kind, created_by, private_pair, last_message_id, revision, active_at)
                 select lpad((n + {first})::text, 32, '0')::uuid, 'private', '{person:032}',
                     n + {first}, 1, 2, date_trunc('second', now()) - make_interval(mins => 10 * n)
                 from generate_series(0, {chats} - 1) n"
            ),
            format!(
                "insert into chat_members (chat_id, user_id, role)
                 select lpad((n + {first})::text, 32, '0')::uuid, lpad(member::text, 32, '0')::uuid, 'member'
                 from generate_series(0, {chats} - 1) n, lateral (values ({person}), (n + {IDLE})) as of_chat (member)"
            ),
            format!(
                "insert into messages (chat_id, id, sender_id, client_message_id, text, sent_hash, created_at, revision)
                 select chat_id, 1, created_by, '1', 'Shall we meet at eight?', '', active_at, 2
                 from chats where created_by = '{person:032}'"
            ),
            "analyze".to_owned(),
        ] {
            sqlx::query(AssertSqlSafe(statement)).execute(&messenger.app.db).await.unwrap();
        }
        let list = async || {
            let request = http.get(format!("{}/chats", messenger.base)).bearer_auth(&people[person].token);
            let start = Instant::now();
            let body = request.send().await.unwrap().error_for_status().unwrap().bytes().await.unwrap();
            let took = start.elapsed().as_secs_f64() * 1000.0;
            let list: serde_json::Value = serde_json::from_slice(&body).unwrap();
            assert_eq!(list["chats"].as_array().unwrap().len(), chats.min(50));
            took
        };
        points.push((chats as f64, median_of(list).await));
    }
    points
}

/// In the database, which holds all of the chats while each is measured.
async fn by_messages(messenger: &Messenger, most: usize) -> Points {
    let db = &messenger.app.db;
    let sizes: Vec<_> = MESSAGES.into_iter().filter(|messages| *messages <= most).collect();
    sqlx::query("drop index messages_words").execute(db).await.unwrap();
    for (number, messages) in sizes.iter().enumerate() {
        messenger::add_group(db, HISTORIES + number, TALKING..TALKING + 2).await;
        fill(db, HISTORIES + number, *messages).await;
    }
    sqlx::query("analyze messages").execute(db).await.unwrap();
    let mut points = Vec::new();
    for (number, messages) in sizes.into_iter().enumerate() {
        let (chat_id, reader) = (messenger::chat(HISTORIES + number), messenger::user(TALKING));
        let middle = Page::Before(messages as i64 / 2);
        let page = async || {
            let start = Instant::now();
            let (page, _) = messages::page(db, chat_id, reader, None, middle, 50).await.unwrap();
            assert_eq!(page.len(), 50);
            start.elapsed().as_secs_f64() * 1000.0
        };
        points.push((messages as f64, median_of(page).await));
    }
    points
}

async fn fill(db: &Database, chat: usize, messages: usize) {
    // In parts, each within the role's time limit.
    for first in (1..=messages).step_by(50_000) {
        let last = messages.min(first + 49_999);
        let statement = format!(
            "insert into messages (chat_id, id, sender_id, client_message_id, text, sent_hash, created_at, revision)
             select '{chat:032}', n, '{TALKING:032}', n::text, 'Shall we meet at eight?', '', now(), n + 1
             from generate_series({first}, {last}) n"
        );
        sqlx::query(AssertSqlSafe(statement)).execute(db).await.unwrap();
    }
    sqlx::query("update chats set last_message_id = $2, revision = $2 + 1 where chat_id = $1")
        .bind(messenger::chat(chat).0)
        .bind(messages as i64)
        .execute(db)
        .await
        .unwrap();
}

async fn median_of(mut once: impl AsyncFnMut() -> f64) -> f64 {
    let mut figures = Vec::new();
    for round in 0..ROUNDS + WARM_UP {
        let figure = once().await;
        if round >= WARM_UP {
            figures.push(figure);
        }
    }
    median(figures)
}

/// Draws each curve in a panel of its own, on logarithmic axes, with what it should be in grey.
fn draw(file: &str, curves: &[(&str, Points); 4]) -> Result<(), Box<dyn Error>> {
    let root = SVGBackend::new(file, (960, 640)).into_drawing_area();
    root.fill(&WHITE)?;
    for (number, ((what, points), area)) in curves.iter().zip(root.split_evenly((2, 2))).enumerate() {
        let ((smallest, first), (middle, there), (largest, _)) =
            (points[0], points[points.len() / 2], points[points.len() - 1]);
        let most = points.iter().map(|(_, value)| *value).fold(10.0, f64::max);
        let mut chart = ChartBuilder::on(&area)
            .caption(*what, ("sans-serif", 16))
            .margin(12)
            .margin_right(48)
            .x_label_area_size(28)
            .y_label_area_size(52)
            .build_cartesian_2d((smallest..largest).log_scale(), (0.05..most * 2.0).log_scale())?;
        chart.configure_mesh().light_line_style(WHITE).x_label_formatter(&|size| format!("{size:.0}")).draw()?;
        // Posts to members add up; everything else should not depend on the size.
        let ideal = |size: f64| if number == 0 { (there * size / middle).max(0.05) } else { first };
        chart.draw_series(LineSeries::new(points.iter().map(|(size, _)| (*size, ideal(*size))), &GREY))?;
        chart.draw_series(LineSeries::new(points.iter().copied(), BLUE.stroke_width(2)))?;
        chart.draw_series(points.iter().map(|point| Circle::new(*point, 4, BLUE.filled())))?;
    }
    root.present()?;
    Ok(())
}
