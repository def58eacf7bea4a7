//! What can be typed. `--help` is made from the comments here.

use clap::{Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// Remembers what you have said and written, on this computer, and finds it again.
///
/// Exit codes: 0 done, 1 nothing found, 2 wrong usage, 3 not there, 4 export not readable, 5 another
/// Evoke is writing, 6 wrong or missing key, 70 anything else.
#[derive(Parser)]
#[command(name = "evoke", version, max_term_width = 100)]
pub(crate) struct Args {
    /// Folder of the archive [default: the system's folder for app data]
    #[arg(long, global = true, env = "EVOKE_HOME", value_name = "DIR")]
    pub(crate) home: Option<PathBuf>,
    /// Answer in JSON (docs/json.md)
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Do not use the system keychain: a new archive gets a key file
    #[arg(long, global = true)]
    pub(crate) key_file: bool,
    /// Time zone shown, as in Europe/Berlin [default: this computer's]
    #[arg(long, global = true, value_name = "ZONE")]
    pub(crate) zone: Option<String>,
    /// Where the model runs: auto, cpu, cuda, metal
    #[arg(long, global = true, default_value = "auto", value_name = "DEVICE")]
    pub(crate) device: String,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What stands first in a date.
#[derive(Clone, Copy, PartialEq, ValueEnum)]
pub(crate) enum Dates {
    DayFirst,
    MonthFirst,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Import exports: files, zips or folders
    Import {
        #[arg(required = true)]
        paths: Vec<PathBuf>,
        /// Say what it would do; nothing is saved
        #[arg(long)]
        dry_run: bool,
        /// Zone of times that the export writes without one [default: --zone, or that of the source]
        #[arg(long, value_name = "ZONE")]
        wall_zone: Option<String>,
        /// Bring back what was forgotten
        #[arg(long)]
        again: bool,
        /// Leave meaning for later (`evoke resume` reads it)
        #[arg(long)]
        words_only: bool,
        /// What you are called in these exports, where they do not say it
        #[arg(long, value_name = "NAME")]
        me: Option<String>,
        /// Keep copies of pictures and recordings in the archive, so that they are shown after the export is gone
        #[arg(long)]
        copy_files: bool,
        /// How to read dates like 02/05/2023 where nothing in the export tells [default: as is usual in the zone]
        #[arg(long, value_enum, value_name = "WHICH")]
        dates: Option<Dates>,
    },
    /// Search by words and meaning: from: person: in: source: kind: has: before: after: on: "phrase" -not, dates in words
    ///
    /// from: is who wrote it, by any name, number or address they have in any source; person: also what was
    /// said in direct talks with them; has: is image, file, link or voice.
    Search {
        #[arg(required = true)]
        query: Vec<String>,
        #[arg(long, short, default_value_t = 10)]
        limit: usize,
        #[arg(long, default_value_t = 0)]
        offset: usize,
        #[arg(long, value_enum, default_value_t = Sort::Best)]
        sort: Sort,
        #[arg(long, value_enum, default_value_t = Mode::Hybrid)]
        mode: Mode,
        /// Read so many of the best hits in order of time and rank them anew
        #[arg(long, default_value_t = 0, value_name = "N")]
        rerank: usize,
        /// Published model that does so (`evoke model add`), in place of the archive's own
        #[arg(long, value_name = "MODEL", requires = "rerank")]
        with: Option<String>,
    },
    /// Show a message with its neighbours, or a conversation
    Show {
        /// Id of a message or of a conversation
        id: String,
        /// Messages before and after
        #[arg(long, short, default_value_t = 5)]
        context: usize,
    },
    /// Write a file that is attached to a message
    File {
        /// Id of the message
        id: String,
        /// Which of its files, from 1
        #[arg(default_value_t = 1)]
        file: usize,
        /// Where to; it must not exist
        #[arg(long, short, value_name = "PATH")]
        out: PathBuf,
    },
    /// Counts over time, of everything or of a query's hits; or one day
    Timeline {
        query: Vec<String>,
        #[arg(long, value_enum, default_value_t = Unit::Month)]
        by: Unit,
        /// One day: its conversations, and the same day in other years
        #[arg(long, value_name = "YYYY-MM-DD", conflicts_with = "around")]
        day: Option<String>,
        /// Messages around an instant, as 2024-04-12T18:00
        #[arg(long, value_name = "TIME")]
        around: Option<String>,
        #[arg(long, value_name = "YYYY-MM-DD")]
        from: Option<String>,
        #[arg(long, value_name = "YYYY-MM-DD")]
        until: Option<String>,
        #[arg(long, short, default_value_t = 20)]
        limit: usize,
    },
    /// List conversations
    Conversations {
        #[arg(long)]
        source: Option<String>,
    },
    /// List people; show, merge and split them, or say which are you
    People {
        /// Name or id of a person who is you, and nobody else is (repeatable)
        #[arg(long, value_name = "WHO")]
        me: Vec<String>,
        #[command(subcommand)]
        what: Option<People>,
    },
    /// List sources, and what Evoke can import; or set the zone of one
    Sources {
        #[command(subcommand)]
        what: Option<Sources>,
    },
    /// List imports with their receipts; show what one left out, or undo it
    Imports {
        #[command(subcommand)]
        what: Option<Imports>,
    },
    /// Messages that two exporters of one chat brought: one is shown
    Duplicates {
        #[command(subcommand)]
        what: Duplicates,
    },
    /// What could be imported from this computer, by names, sizes and dates: nothing is opened
    Discover {
        /// Folder to look in [default: your home folder]
        #[arg(long = "in", value_name = "DIR")]
        folder: Option<PathBuf>,
    },
    /// Folders that are kept up to date: a vault, sessions, a folder to drop exports into
    Watch {
        #[command(subcommand)]
        what: Watched,
    },
    /// What is in the archive, what protects it, how complete it is
    Status,
    /// Go on with imports that were cut off, and read what waits
    Resume {
        /// Leave meaning for later
        #[arg(long)]
        words_only: bool,
    },
    /// Forget for good: asks first
    Forget {
        #[command(flatten)]
        what: What,
        /// Only say what would go
        #[arg(long)]
        dry_run: bool,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
    /// Measure the search on histories with questions (docs/eval.md)
    Eval {
        /// JSON Lines, gzip or plain
        file: Option<PathBuf>,
        /// words, static, context, evolved, hybrid; several with commas
        #[arg(long, value_enum, value_delimiter = ',', default_value = "hybrid")]
        mode: Vec<Mode>,
        /// Write the rankings as TREC run lines, at most 100 deep
        #[arg(long, value_name = "OUT")]
        run: Option<PathBuf>,
        /// Compare two runs on FILE with a paired bootstrap over histories
        #[arg(long, num_args = 2, value_names = ["RUN_A", "RUN_B"])]
        compare: Option<Vec<PathBuf>>,
        /// Keep the archives of the histories here and use those that stand
        #[arg(long, value_name = "DIR")]
        keep: Option<PathBuf>,
        /// Only the first N histories
        #[arg(long, value_name = "N")]
        only: Option<usize>,
        /// Read so many of the best hits in order of time and rank them anew
        #[arg(long, default_value_t = 0, value_name = "N")]
        rerank: usize,
        /// Embed in f32 instead of eight bits, to compare the two
        #[arg(long)]
        f32: bool,
    },
    /// Models that read the archive: which there are, which is in use
    Model {
        #[command(subcommand)]
        what: Model,
    },
    /// Import the invented sample archive
    Sample,
    /// Where the archive is
    Home {
        /// A hash of all that it holds: equal where nothing was lost, added or changed
        #[arg(long)]
        digest: bool,
    },
    /// Speak JSON lines on standard input and output, as the window does
    #[command(hide = true)]
    Stdio,
}

#[derive(Subcommand)]
pub(crate) enum Model {
    /// All models, and what this archive has of each
    List,
    /// Go over to a model: a new one reads everything first, while searches go on with the old
    Use { name: String },
    /// More about a model, by name or by folder
    Info { name: String },
    /// Make a folder known as a model; it stays where it is
    Add { folder: PathBuf },
    /// Drop what a model that is not in use made of the archive
    Drop { name: String },
    /// Make a smaller copy of a published evolvable model
    Quantize {
        folder: PathBuf,
        #[arg(long, value_name = "q4_k|q8_0")]
        to: String,
        /// Where the copy goes [default: beside it, named after it]
        #[arg(long, value_name = "DIR")]
        into: Option<PathBuf>,
    },
    /// Compare our numbers with those of the reference, from a kit
    Parity { kit: PathBuf },
}

#[derive(Subcommand)]
pub(crate) enum Imports {
    /// All imports, newest first
    List,
    /// The receipt of an import, and every record that was skipped or failed, with place and reason
    Show { number: u64 },
    /// Write those records as CSV
    Export { number: u64, file: PathBuf },
    /// Take back what an import did and nothing else: what others have too stays, edits are undone
    Undo {
        number: u64,
        /// Only say what would go
        #[arg(long)]
        dry_run: bool,
    },
}

#[derive(Subcommand)]
pub(crate) enum People {
    /// Everybody, those who wrote most first
    List,
    /// Identities, contact by month, conversations, and notes that mention them
    Show {
        /// Name, number, address or id
        who: String,
    },
    /// Who may be one person, and what speaks for it
    Suggest,
    /// Make people one; the first stands for all
    Merge {
        #[arg(required = true, num_args = 2.., value_name = "WHO")]
        people: Vec<String>,
    },
    /// Take an identity out of its person; nothing is lost
    Split {
        /// Id of the identity, as in `evoke people show`
        identity: String,
    },
    /// Say that people are different, so that they are not suggested again
    Different {
        #[arg(required = true, num_args = 2.., value_name = "WHO")]
        people: Vec<String>,
    },
    /// Say who is you; without a name: of which imports it is not known, with guesses
    Me {
        #[arg(value_name = "WHO")]
        people: Vec<String>,
        /// Of this import; with no name: nobody is you in it
        #[arg(long, value_name = "N")]
        import: Option<u64>,
        /// They are not you
        #[arg(long, conflicts_with = "import")]
        not: bool,
    },
}

#[derive(Subcommand)]
pub(crate) enum Sources {
    /// All sources
    List,
    /// Read the times of a source that are written without a zone as those of ZONE, without a new import
    Zone {
        source: String,
        /// As in Europe/Berlin
        zone: String,
    },
}

#[derive(Subcommand)]
pub(crate) enum Duplicates {
    /// Every copy, with the message that is shown for it
    List,
    /// Show a copy as a message of its own again, and keep it so
    Undo { id: String },
    /// Where a message was seen: imports, files and places
    Seen { id: String },
}

#[derive(Subcommand)]
pub(crate) enum Watched {
    /// Read a folder now and keep it up to date
    Add { folder: PathBuf },
    /// Folders that are kept up to date
    List,
    /// Keep a folder up to date no longer; what was read stays
    Remove { folder: PathBuf },
    /// Keep them up to date until Ctrl-C
    Run,
}

/// What is to be forgotten: exactly one.
#[derive(clap::Args)]
#[group(required = true, multiple = false)]
pub(crate) struct What {
    #[arg(long, value_name = "ID")]
    pub(crate) message: Option<String>,
    /// Id or title
    #[arg(long, value_name = "ID")]
    pub(crate) conversation: Option<String>,
    /// As in `evoke sources`
    #[arg(long)]
    pub(crate) source: Option<String>,
    /// Id or name
    #[arg(long, value_name = "WHO")]
    pub(crate) person: Option<String>,
    /// First and last day, as 2023-05-01..2023-05-31
    #[arg(long, value_name = "FROM..TO")]
    pub(crate) period: Option<String>,
    /// Undo an import, by its number in `evoke imports`
    #[arg(long, value_name = "N")]
    pub(crate) import: Option<u64>,
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Sort {
    Best,
    Newest,
    Oldest,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Mode {
    Hybrid,
    Words,
    Static,
    Context,
    Evolved,
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Unit {
    Hour,
    Day,
    Week,
    Month,
    Year,
}

impl From<Sort> for evoke_memory::message::Sort {
    fn from(sort: Sort) -> Self {
        match sort {
            Sort::Best => Self::Best,
            Sort::Newest => Self::Newest,
            Sort::Oldest => Self::Oldest,
        }
    }
}

impl From<Mode> for evoke_memory::message::Mode {
    fn from(mode: Mode) -> Self {
        match mode {
            Mode::Hybrid => Self::Hybrid,
            Mode::Words => Self::Words,
            Mode::Static => Self::Static,
            Mode::Context => Self::Context,
            Mode::Evolved => Self::Evolved,
        }
    }
}

impl From<Unit> for evoke_memory::message::Unit {
    fn from(unit: Unit) -> Self {
        match unit {
            Unit::Hour => Self::Hour,
            Unit::Day => Self::Day,
            Unit::Week => Self::Week,
            Unit::Month => Self::Month,
            Unit::Year => Self::Year,
        }
    }
}
