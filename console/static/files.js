// Uploads: each content is named by its checksum, so it is sent once, from the offset at which the console has it, however
// often the connection breaks or the page is loaded anew. Of a file only small slices are in memory.
"use strict";

const HASHED_AT_ONCE = 2 ** 21;
// After a connection was lost a small piece shows whether it is back, and why something is refused; then they grow.
const SMALLEST_PIECE = 2 ** 20, GROWTH = 8;
const PAUSES = [1, 2, 4, 8, 8, 8, 15, 15, 15, 15, 15];
// More files of an upload share one bar.
const MOST_BARS = 20;
// Without a byte sent or an answer: as long as the console takes to read what it has of a large file.
const STALLED_SECONDS = 180;
const FOLLOW_SECONDS = 1;
const ARCHIVE = /\.(zip|tar|tar\.gz|tgz|tar\.xz|txz)$/i;

// It is worth another try.
class Lost extends Error {}

// What somebody has to decide about: where, what and what to do next.
class Refusal extends Error {
  constructor({ where = "", what = "", next_step: next = "" }) {
    super([where && `${where}: ${what}`, !where && what, next].filter(Boolean).join(". "));
  }
}

const form = document.getElementById("upload-form");
const texts = JSON.parse(form.dataset.texts);
const leftOut = JSON.parse(form.dataset.leftOut);
const api = form.dataset.api;
const sleep = (seconds) => new Promise((done) => setTimeout(done, 1000 * seconds));

// What was chosen: a file, or a folder with all that is in it.

let chosen = [];

const fileItem = (file) => ({ name: file.name, files: [{ path: file.name, file }], isFolder: false });

async function itemOf(entry, file) {
  // A browser that knows no folders.
  if (!entry) return fileItem(file);
  if (entry.isFile) return fileItem(await new Promise((done, failed) => entry.file(done, failed)));
  return { name: entry.name, files: await walked(entry, ""), isFolder: true };
}

async function walked(folder, below) {
  const reader = folder.createReader();
  const found = [];
  // A reader tells a hundred at a time.
  for (let some = [null]; some.length; found.push(...some)) {
    some = await new Promise((done, failed) => reader.readEntries(done, failed));
  }
  const files = [];
  for (const entry of found) {
    const path = `${below}${entry.name}`;
    if (leftOut.names.includes(entry.name) || leftOut.suffixes.some((end) => entry.name.endsWith(end))) continue;
    if (entry.isDirectory) files.push(...(await walked(entry, `${path}/`)));
    else files.push({ path, file: await new Promise((done, failed) => entry.file(done, failed)) });
  }
  return files;
}

function choose(items) {
  chosen = items;
  const files = chosen.flatMap((item) => item.files);
  const size = inWords(files.reduce((sum, { file }) => sum + file.size, 0));
  const names = chosen.slice(0, 5).map((item) => item.name).join(", ") + (chosen.length > 5 ? ", …" : "");
  say("chosen", files.length ? `${names} (${files.length}, ${size})` : "");
  complain("");
}

function inWords(size) {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  const power = Math.min(Math.max(Math.floor(Math.log2(size || 1) / 10), 0), units.length - 1);
  return `${(size / 1024 ** power).toFixed(power ? 1 : 0)} ${units[power]}`;
}

// Which uploads that makes. As for a playbook, a file or a folder is one, and is called as it is.

function uploadsOf(items, { kind, service, name, unpack }) {
  const unpacked = (item) => !item.isFolder && ARCHIVE.test(item.name) && (kind === "plugin" || (kind === "shared" && unpack));
  if (!items.length) throw new Refusal({ what: texts.nothing_chosen });
  if (items.length === 1 || (!name && kind === "shared")) {
    return items.map((item) => ({
      key: { kind, service, name: name || nameOf(item.name) },
      files: item.files,
      archive: unpacked(item) ? item.name : "",
    }));
  }
  if (items.some(unpacked)) throw new Refusal({ what: texts.archive_alone });
  if (!name) throw new Refusal({ what: texts.name_needed });
  const files = items.flatMap((item) =>
    item.files.map(({ path, file }) => ({ path: item.isFolder ? `${item.name}/${path}` : path, file })),
  );
  return [{ key: { kind, service, name }, files, archive: "" }];
}

function nameOf(file) {
  const name = file.normalize("NFC").replace(/[^A-Za-z0-9._-]+/g, "-").replace(/^[^A-Za-z0-9]+/, "").slice(0, 100);
  if (!name) throw new Refusal({ what: texts.name_needed });
  return name;
}

// Asking the console.

async function ask(method, path, { body, headers } = {}) {
  let answer;
  try {
    answer = await fetch(`${api}${path}`, {
      method,
      headers: { "X-CSRF-Token": form.elements.csrf.value, "Content-Type": "application/json", ...headers },
      body: body && JSON.stringify(body),
    });
  } catch (error) {
    throw new Lost(error.message);
  }
  return checked(answer.status, answer, () => answer.json());
}

async function checked(status, answer, read) {
  if (status === 401) throw new Refusal({ what: texts.sign_in });
  if (status === 0 || status === 408 || status === 429 || status >= 500) throw new Lost(String(status));
  if (status < 400) return answer;
  let said = null;
  try {
    said = (await read()).error;
  } catch {
    // A proxy refused it, in words of its own.
  }
  throw new Refusal(said ?? { what: `${texts.refused} (${status})` });
}

// One piece, by the one way that tells how much of it is on its way.
function sendPiece(sha256, file, begin, end, tell) {
  return new Promise((done, failed) => {
    const request = new XMLHttpRequest();
    let clock = 0;
    const alive = () => {
      clearTimeout(clock);
      clock = setTimeout(() => request.abort(), 1000 * STALLED_SECONDS);
    };
    request.open("PATCH", `${api}/files/objects/${sha256}`);
    request.setRequestHeader("X-CSRF-Token", form.elements.csrf.value);
    request.setRequestHeader("Content-Type", "application/octet-stream");
    request.setRequestHeader("Upload-Offset", begin);
    request.setRequestHeader("Upload-Length", file.size);
    request.upload.onprogress = (event) => {
      alive();
      tell(begin + event.loaded);
    };
    request.onloadend = () => {
      clearTimeout(clock);
      // Another connection goes on with it, or more came than was known: its offset tells.
      if (request.status === 409) failed(new Lost(request.responseText));
      else checked(request.status, request, () => JSON.parse(request.responseText)).then(done, failed);
    };
    alive();
    request.send(file.slice(begin, end));
  });
}

// Each content by its checksum, until it is there.

async function checksum({ path, file }, tell) {
  const total = new Sha256();
  for (let at = 0; at < file.size; at += HASHED_AT_ONCE) {
    try {
      total.update(new Uint8Array(await file.slice(at, at + HASHED_AT_ONCE).arrayBuffer()));
    } catch {
      throw new Refusal({ where: path, what: texts.unreadable });
    }
    tell(Math.min(at + HASHED_AT_ONCE, file.size));
  }
  return total.digest();
}

async function patiently(attempt, lost) {
  for (let losses = 0; ; losses += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof Lost) || losses === PAUSES.length) throw error;
      lost();
      await sleep(PAUSES[losses]);
    }
  }
}

async function deliver({ sha256, file }, tell, lost) {
  let piece = file.size, furthest = 0, losses = 0;
  for (;;) {
    try {
      const known = await ask("HEAD", `/files/objects/${sha256}`);
      let at = Number(known.headers.get("Upload-Offset"));
      // A piece of nothing, too: it completes what has come already.
      do {
        if (at > furthest) [furthest, losses] = [at, 0];
        tell(at);
        const answer = await sendPiece(sha256, file, at, Math.min(at + piece, file.size), tell);
        at = Number(answer.getResponseHeader("Upload-Offset"));
        piece *= GROWTH;
      } while (at < file.size);
      return;
    } catch (error) {
      if (!(error instanceof Lost) || losses === PAUSES.length) throw error;
      lost();
      await sleep(PAUSES[losses]);
      piece = SMALLEST_PIECE;
      losses += 1;
    }
  }
}

// An upload from the first byte to the end of its operation.

async function carryOut(upload, row) {
  const lost = () => row.step(texts.lost);
  row.step(texts.checking);
  for (const each of upload.files) {
    each.sha256 ??= await checksum(each, (at) => row.progress(each, at));
  }
  const wanted = [...new Set(upload.files.map((each) => each.sha256))];
  const asked = await patiently(() => ask("POST", "/files/objects/missing", { body: { sha256s: wanted } }), lost);
  const missing = new Set((await asked.json()).missing);
  for (const each of upload.files) row.progress(each, missing.has(each.sha256) ? 0 : each.file.size);
  for (const each of upload.files) {
    if (missing.delete(each.sha256)) {
      row.step(texts.sending);
      await deliver(each, (at) => { row.step(texts.sending); row.progress(each, at); }, lost);
    }
    row.progress(each, each.file.size);
  }
  row.step(texts.publishing);
  // Twice is no harm: the content is the same, and while the first one runs the second is refused.
  const body = { ...upload.key, ...contents(upload) };
  const begun = await patiently(() => ask("POST", "/files/upload", { body }), lost);
  await followed((await begun.json()).operation_id, row, lost);
}

function contents({ files, archive }) {
  if (archive) return { archive: { sha256: files[0].sha256, name: archive } };
  return { entries: files.map(({ path, file, sha256 }) => ({ path: path.normalize("NFC"), sha256, size: file.size })) };
}

async function followed(id, row, lost) {
  row.operation(id);
  for (;;) {
    const answer = await patiently(() => ask("GET", `/operations/${id}`), lost);
    const { state, progress, error } = await answer.json();
    if (state === "DONE") return;
    if (state === "FAILED") throw new Refusal(error);
    if (state !== "RUNNING") throw new Refusal({ what: texts.interrupted });
    row.step(progress.at(-1) ?? texts.publishing);
    await sleep(FOLLOW_SECONDS);
  }
}

// What is seen of it.

function barOf(group) {
  const line = document.getElementById("upload-file").content.cloneNode(true).firstElementChild;
  const bar = line.querySelector("progress");
  const whole = group.reduce((sum, { file }) => sum + file.size, 0);
  const name = group.length > 1 ? `${group[0].path}, … (${group.length})` : group[0].path;
  const there = new Map();
  let sum = 0;
  line.querySelector("[data-part=path]").textContent = name;
  bar.setAttribute("aria-label", name);
  return {
    line,
    show(each, at) {
      sum += at - (there.get(each) ?? 0);
      there.set(each, at);
      bar.value = whole ? sum / whole : 1;
      line.querySelector("[data-part=told]").textContent = `${Math.floor(100 * bar.value)} % · ${inWords(whole)}`;
    },
  };
}

function rowOf(upload) {
  const made = document.getElementById("upload-row").content.cloneNode(true).firstElementChild;
  const part = (name) => made.querySelector(`[data-part=${name}]`);
  const { files } = upload;
  part("name").textContent = upload.key.name;
  const groups = files.length > MOST_BARS ? [files] : files.map((each) => [each]);
  const bars = new Map(groups.flatMap((group) => {
    const bar = barOf(group);
    part("files").append(bar.line);
    return group.map((each) => [each, bar]);
  }));
  document.getElementById("uploading").append(made);
  return {
    step: (text) => { if (part("step").textContent !== text) part("step").textContent = text; },
    progress: (each, at) => bars.get(each).show(each, at),
    operation(id) {
      part("operation").href = `${form.dataset.operations}/${id}`;
      part("operation").hidden = false;
    },
    ended(mark, text, problem) {
      part("step").className = `mark ${mark}`;
      part("step").textContent = text;
      part("problem").textContent = problem;
      part("problem").hidden = !problem;
      part("again").hidden = !problem;
    },
    begun() {
      this.ended("warn", "", "");
    },
    onAgain: (again) => part("again").addEventListener("click", again),
  };
}

// One after the other: the console publishes one at a time.
let last = Promise.resolve();
let underWay = 0;

function queue(upload, row) {
  row.begun();
  row.step(texts.waiting);
  underWay += 1;
  last = last.then(async () => {
    try {
      await carryOut(upload, row);
      row.ended("good", texts.done, "");
    } catch (error) {
      row.ended("bad", texts.failed, error instanceof Lost ? texts.gave_up : error.message);
      // Perhaps the file has changed, and that is why.
      if (!(error instanceof Lost)) upload.files.forEach((each) => delete each.sha256);
    } finally {
      underWay -= 1;
      htmx.trigger("#listed", "refresh");
    }
  });
}

// The form.

function say(part, text) {
  form.querySelector(`[data-part=${part}]`).textContent = text;
}

function complain(text) {
  say("problem", text);
  form.querySelector("[data-part=problem]").hidden = !text;
}

function showFields() {
  const { kind, unpack } = form.elements;
  unpack.closest("label").hidden = kind.value !== "shared";
  say("hint", texts[`hint_${kind.value}`]);
}

form.elements.files.addEventListener("change", (event) => choose([...event.target.files].map(fileItem)));
form.elements.kind.addEventListener("change", showFields);
showFields();

const zone = form.querySelector("[data-part=zone]");
for (const kind of ["dragenter", "dragover", "dragleave", "drop"]) {
  zone.addEventListener(kind, (event) => {
    event.preventDefault();
    zone.classList.toggle("over", kind === "dragenter" || kind === "dragover");
  });
}
zone.addEventListener("drop", async (event) => {
  // They are gone after the first wait.
  const dropped = [...event.dataTransfer.items].filter((item) => item.kind === "file");
  const reading = dropped.map((item) => itemOf(item.webkitGetAsEntry(), item.getAsFile()));
  form.elements.files.value = "";
  choose((await Promise.all(reading)).filter((item) => item.files.length));
});

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const { kind, service, name, unpack } = form.elements;
  const asked = { kind: kind.value, service: service.value, name: name.value.trim(), unpack: unpack.checked };
  try {
    for (const upload of uploadsOf(chosen, asked)) {
      const row = rowOf(upload);
      row.onAgain(() => queue(upload, row));
      queue(upload, row);
    }
  } catch (error) {
    complain(error.message);
    return;
  }
  form.elements.files.value = "";
  name.value = "";
  choose([]);
});

addEventListener("beforeunload", (event) => {
  if (underWay) event.preventDefault();
});
