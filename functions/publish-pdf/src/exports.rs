//! What is exported, and where each file goes. No I/O.

use crate::place::{File, Names, file};
use ring::digest::{SHA256, digest};
use rules::Action;
use rules::settings::{Paper, PdfDestination, PdfOrientation, PublishPdf, VizSize};
use std::collections::BTreeMap;
use tableau_client::{ApiVersion, ExportOptions, Orientation, PageType, View, Workbook};

/// Since this version a workbook's PDF follows filters. An older one ignores them without a word.
const FILTERS_SINCE: ApiVersion = ApiVersion::new(3, 23);
/// Since this version a PDF has a size of its views.
const SIZE_SINCE: ApiVersion = ApiVersion::new(3, 26);

/// What one export is of.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum What {
    /// The whole workbook, all of its listed sheets.
    Workbook,
    /// One view.
    View(Box<View>),
}

/// One export, and the files that it becomes.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Export {
    pub(crate) what: What,
    pub(crate) options: ExportOptions,
    pub(crate) files: Vec<Target>,
}

/// A file somewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) settings: PublishPdf,
    pub(crate) rule: String,
    /// The id of the event that it is for.
    pub(crate) event: String,
    pub(crate) file: File,
    /// The same text for the same file, whichever rule asks for it.
    pub(crate) place: String,
}

/// Why a rule cannot be followed. A person has to change it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Impossible {
    #[error(
        "the rule `{rule}` asks for the view `{view}`, which the workbook does not list for the user who exports it: {listed}"
    )]
    NoView { rule: String, view: String, listed: String },
    #[error(
        "the rule `{rule}` has a `size`, which Tableau follows since REST API 3.26; this one has {version}: remove it"
    )]
    NoSize { rule: String, version: ApiVersion },
    #[error(
        "the rules `{one}` and `{other}` want two different exports in the same file: give one of them a `name` or `folder`"
    )]
    SameFile { one: String, other: String },
}

impl What {
    /// For people: the name of the view, or of the workbook.
    pub(crate) fn name<'a>(&'a self, workbook: &'a Workbook) -> &'a str {
        match self {
            Self::Workbook => &workbook.name,
            Self::View(view) => &view.name,
        }
    }

    fn luid<'a>(&'a self, workbook: &'a Workbook) -> &'a str {
        match self {
            Self::Workbook => workbook.id.as_str(),
            Self::View(view) => view.id.as_str(),
        }
    }
}

impl Export {
    /// What names this export from one refresh to the next.
    pub(crate) fn key(&self, workbook: &Workbook, user: Option<&str>) -> String {
        let ExportOptions { filters, page_type, orientation, viz_size, .. } = &self.options;
        let all = format!(
            "{} {user:?} {filters:?} {page_type:?} {orientation:?} {viz_size:?}",
            self.what.luid(workbook)
        );
        hash(&all)
    }
}

impl Target {
    /// What names this file, in the record of an event.
    pub(crate) fn key(&self) -> String {
        let PublishPdf { to, drive, bucket, user, .. } = &self.settings;
        hash(&format!("{to:?} {drive:?} {bucket:?} {user:?} {:?} {}", self.file.folders, self.file.stem))
    }

    /// `sharepoint` or `s3`.
    pub(crate) fn service(&self) -> &'static str {
        match self.settings.to {
            Some(PdfDestination::S3) => "s3",
            _ => "sharepoint",
        }
    }
}

/// A short text that stands for a longer one.
pub(crate) fn hash(text: &str) -> String {
    digest(&SHA256, text.as_bytes()).as_ref().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// The exports that rules want, each once, and what rules want in vain.
pub(crate) fn exports(
    actions: &[&Action<PublishPdf>],
    workbook: &Workbook,
    version: ApiVersion,
    names: &Names<'_>,
    event: &str,
) -> (Vec<Export>, Vec<Impossible>) {
    let mut all: Vec<Export> = Vec::new();
    let mut problems = Vec::new();
    for action in actions {
        let settings = &action.settings;
        if settings.size.is_some() && version < SIZE_SINCE {
            problems.push(Impossible::NoSize { rule: action.rule.clone(), version });
            continue;
        }
        let wanted = match wanted(action, workbook, version) {
            Ok(wanted) => wanted,
            Err(problem) => {
                problems.push(problem);
                continue;
            }
        };
        let options = options(settings);
        let files = files(settings, &wanted, workbook, names);
        for (what, file) in wanted.into_iter().zip(files) {
            let target = Target {
                settings: settings.clone(),
                rule: action.rule.clone(),
                event: event.to_owned(),
                file,
                place: String::new(),
            };
            match all.iter_mut().find(|export| export.what == what && export.options == options) {
                Some(export) => export.files.push(target),
                None => all.push(Export { what, options: options.clone(), files: vec![target] }),
            }
        }
    }
    (all, problems)
}

/// The files of a rule. Names that are equal but for their case have the id.
fn files(settings: &PublishPdf, wanted: &[What], workbook: &Workbook, names: &Names<'_>) -> Vec<File> {
    let file = |what: &What| {
        let view = match what {
            What::Workbook => None,
            What::View(view) => Some(view.name.as_str()),
        };
        let names = Names { view, luid: what.luid(workbook), ..names.clone() };
        file(settings.folder.as_ref(), settings.name.as_ref(), &names, wanted.len() > 1)
    };
    let mut files: Vec<File> = wanted.iter().map(file).collect();
    let path = |file: &File| format!("{}/{}", file.folders.join("/"), file.stem).to_lowercase();
    let mut uses: BTreeMap<String, usize> = BTreeMap::new();
    files.iter().for_each(|file| *uses.entry(path(file)).or_default() += 1);
    files.iter_mut().filter(|file| uses.get(&path(file)).is_some_and(|n| *n > 1)).for_each(File::add_id);
    files
}

/// Takes out files that two different exports would write, and says which rules want them. What one export writes twice, it writes once.
pub(crate) fn separate(all: &mut [&mut Export]) -> Vec<Impossible> {
    let mut places: BTreeMap<String, Vec<(usize, String)>> = BTreeMap::new();
    for (at, export) in all.iter().enumerate() {
        for file in &export.files {
            places.entry(file.place.clone()).or_default().push((at, file.rule.clone()));
        }
    }
    let mut problems = Vec::new();
    for (place, wanted) in places {
        let Some((first, one)) = wanted.first() else { continue };
        if let Some((_, other)) = wanted.iter().find(|(at, _)| at != first) {
            problems.push(Impossible::SameFile { one: one.clone(), other: other.clone() });
            all.iter_mut().for_each(|export| export.files.retain(|file| file.place != place));
        } else if wanted.len() > 1 {
            let mut is_there = false;
            if let Some(export) = all.get_mut(*first) {
                export.files.retain(|file| file.place != place || !std::mem::replace(&mut is_there, true));
            }
        }
    }
    problems
}

/// What a rule wants: the whole workbook in one file where Tableau can do that, else its views.
fn wanted(
    action: &Action<PublishPdf>,
    workbook: &Workbook,
    version: ApiVersion,
) -> Result<Vec<What>, Impossible> {
    let settings = &action.settings;
    if settings.views.is_empty() {
        let is_filtered = !settings.filters.is_empty() || !settings.lift_filters.is_empty();
        let shows_all = workbook.show_tabs || workbook.views.len() == 1;
        if shows_all && (!is_filtered || version >= FILTERS_SINCE) {
            return Ok(vec![What::Workbook]);
        }
        return Ok(workbook.views.iter().cloned().map(of_view).collect());
    }
    let mut all: Vec<What> = Vec::new();
    for name in &settings.views {
        for view in workbook.views.iter().filter(|view| view.name == *name) {
            let what = of_view(view.clone());
            if !all.contains(&what) {
                all.push(what);
            }
        }
        if !workbook.views.iter().any(|view| view.name == *name) {
            return Err(Impossible::NoView {
                rule: action.rule.clone(),
                view: name.clone(),
                listed: listed(workbook),
            });
        }
    }
    Ok(all)
}

fn of_view(view: View) -> What {
    What::View(Box::new(view))
}

fn listed(workbook: &Workbook) -> String {
    let names: Vec<&str> = workbook.views.iter().take(20).map(|view| view.name.as_str()).collect();
    match names.is_empty() {
        true => "it lists none".to_owned(),
        false => format!("it lists {}", names.join(", ")),
    }
}

fn options(settings: &PublishPdf) -> ExportOptions {
    let mut options = ExportOptions::fresh();
    options.filters = settings.query();
    options.page_type = Some(match settings.paper {
        Paper::A3 => PageType::A3,
        Paper::A4 => PageType::A4,
        Paper::A5 => PageType::A5,
        Paper::B5 => PageType::B5,
        Paper::Executive => PageType::Executive,
        Paper::Folio => PageType::Folio,
        Paper::Ledger => PageType::Ledger,
        Paper::Legal => PageType::Legal,
        Paper::Letter => PageType::Letter,
        Paper::Note => PageType::Note,
        Paper::Quarto => PageType::Quarto,
        Paper::Tabloid => PageType::Tabloid,
        Paper::Unspecified => PageType::Unspecified,
    });
    options.orientation = Some(match settings.orientation {
        PdfOrientation::Portrait => Orientation::Portrait,
        PdfOrientation::Landscape => Orientation::Landscape,
    });
    options.viz_size = settings.size.map(|VizSize { width, height }| (width, height));
    options
}
