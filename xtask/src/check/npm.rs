//! Scripts of npm packages that a browser test loads.

use super::python::TOOLS;
use crate::repository::{Problem, Repository, succeed};
use std::path::PathBuf;

/// Where the scripts are.
const FOLDER: &str = ".venv/card-renderer";

/// A script: its package with the version, the package's hash as npm lists it, and its path in the package.
struct Script {
    package: &'static str,
    version: &'static str,
    integrity: &'static str,
    path: &'static str,
}

/// Microsoft's renderer of Adaptive Cards, and the Markdown library that its documentation recommends. Both are MIT-licensed.
const CARD_RENDERER: [Script; 2] = [
    Script {
        package: "adaptivecards",
        version: "3.0.6",
        integrity: "sha512-WDCIb2WXZ7cOHJ9HIHRNdhSt861HySVOdN2xPk2aKHAF3JvD8QGQ8/XcNFrDJxCteOog8MM7EBlXfSAR8JXKAg==",
        path: "package/dist/adaptivecards.min.js",
    },
    Script {
        package: "markdown-it",
        version: "14.1.0",
        integrity: "sha512-a54IwgWPaeBCAAsv13YgmALOF1elABB08FxO9i+r4VFk5Vl4pKokRPeX8u5TCgSsPi6ec1otfLjdOpVcgbpshg==",
        path: "package/dist/markdown-it.min.js",
    },
];

/// Deque's check of pages for accessibility, which is MPL-licensed and used by the test alone.
const ACCESSIBILITY: Script = Script {
    package: "axe-core",
    version: "4.14.1",
    integrity: "sha512-FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ==",
    path: "package/axe.min.js",
};

/// Fetches a package from npm, compares its hash, and writes one of its files into a folder.
const FETCH: &str = "
import base64, hashlib, io, pathlib, sys, tarfile, urllib.request
package, version, integrity, path, folder = sys.argv[1:]
target = pathlib.Path(folder) / f'{package}-{version}' / pathlib.PurePosixPath(path).name
shown = pathlib.Path(folder) / target.name
if not target.exists():
    url = f'https://registry.npmjs.org/{package}/-/{package}-{version}.tgz'
    archive = urllib.request.urlopen(url, timeout=60).read()
    found = 'sha512-' + base64.b64encode(hashlib.sha512(archive).digest()).decode()
    if found != integrity:
        sys.exit(f'{url} has the hash {found}')
    with tarfile.open(fileobj=io.BytesIO(archive)) as files:
        content = files.extractfile(path).read()
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)
shown.write_bytes(target.read_bytes())
";

/// Fetches the renderer of cards and the check of accessibility, unless they are there. Gives their folder.
pub(super) fn card_renderer(repository: &Repository) -> Result<PathBuf, Problem> {
    TOOLS.install(repository)?;
    let folder = repository.path(FOLDER);
    for Script { package, version, integrity, path } in CARD_RENDERER.into_iter().chain([ACCESSIBILITY]) {
        let mut python = repository.program(TOOLS.tool(repository, "python"));
        succeed(python.args(["-c", FETCH, package, version, integrity, path]).arg(&folder))
            .map_err(|problem| format!("cannot fetch {package} {version} from npm: {problem}"))?;
    }
    Ok(folder)
}
