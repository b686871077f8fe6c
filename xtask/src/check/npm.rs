//! npm packages: scripts that a browser test loads, and newman, which replays the collection for Postman.

use super::python::{TOOLS, hash};
use crate::repository::{Problem, Repository, succeed};
use std::fs;
use std::io::ErrorKind;
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

/// Where newman is listed, with every package that it needs and its hash, and where it is installed.
const NEWMAN: &str = "integrations/postman";

/// Installs newman, unless that was done and the list has not changed since. Gives its program.
pub(super) fn newman(repository: &Repository) -> Result<PathBuf, Problem> {
    let wanted = hash(&repository.read(&format!("{NEWMAN}/package-lock.json"))?);
    let installed = repository.path(NEWMAN).join("node_modules");
    let program = installed.join(".bin/newman");
    // Holds the hash of the list that was installed last. npm deletes it with the folder before it installs.
    let stamp = installed.join("packages.sha256");
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(program);
    }
    println!("installing newman into {NEWMAN}/node_modules");
    let mut npm = repository.program("npm");
    // `ci` accepts nothing but the listed versions with the listed hashes. No package may run a script of its own.
    let ended = npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", NEWMAN]).status();
    match ended {
        Ok(status) if status.success() => {}
        Ok(status) => return Err(format!("cannot install newman: npm ended with {status}").into()),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return Err("npm is missing: newman needs Node.js 16 or newer, with npm".into());
        }
        Err(error) => return Err(format!("cannot run npm: {error}").into()),
    }
    fs::write(&stamp, wanted).map_err(|error| format!("cannot write {}: {error}", stamp.display()))?;
    Ok(program)
}
