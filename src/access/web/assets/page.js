// The one script of the page. Without it everything can be read and done but sending files.

const live = document.querySelector('[data-live]');
const gone = document.querySelector('#gone');

/** Times as people here write them. */
function localTimes(root) {
  for (const time of root.querySelectorAll('time')) {
    const date = new Date(time.dateTime);
    if (!Number.isNaN(date.getTime())) time.textContent = date.toLocaleString();
  }
}

/** Replaces a part of the page, unless somebody is typing in it; what was open stays open, and the focus stays. */
function replace(id, text) {
  const old = document.getElementById(id);
  if (old === null || old.querySelector('input:focus')) return;
  const focused = old.contains(document.activeElement) ? document.activeElement.dataset.key : undefined;
  const open = [...old.querySelectorAll('details[open]')].map((each) => each.dataset.key);
  old.innerHTML = text;
  for (const each of old.querySelectorAll('details')) each.open = open.includes(each.dataset.key);
  if (focused !== undefined) old.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus();
  localTimes(old);
}

if (live !== null) {
  const news = new EventSource(live.dataset.live);
  news.addEventListener('part', (event) => {
    const { id, html } = JSON.parse(event.data);
    replace(id, html);
  });
  news.onopen = () => {
    gone.hidden = true;
  };
  news.onerror = () => {
    // It answered, and told no more: the session has ended, or too many pages are open.
    if (news.readyState === EventSource.CLOSED)
      gone.textContent = 'This page is not kept up to date any more: load it again.';
    gone.hidden = false;
  };
}

/** Sends one file; resolves with the answer's status, 0 when there was none. */
function send(file, url, token, onProgress) {
  return new Promise((resolve) => {
    const request = new XMLHttpRequest();
    request.open('PUT', url);
    request.setRequestHeader('x-aether-token', token);
    request.setRequestHeader('x-aether-modified', String(file.lastModified));
    request.upload.onprogress = (event) => onProgress(event.loaded, event.total);
    request.onload = () => resolve({ status: request.status, text: request.responseText });
    request.onerror = () => resolve({ status: 0, text: 'The box does not answer.' });
    request.send(file);
  });
}

/** Sends the files that are chosen in `input`, one after the other, where `urlOf` says. */
async function sendAll(input, urlOf) {
  const said = document.querySelector(`#${input.id}-said`);
  const progress = document.querySelector(`#${input.id}-progress`);
  progress.hidden = false;
  let failed = 0;
  for (const file of input.files) {
    said.textContent = `Sending ${file.name}`;
    const answer = await send(file, urlOf(file), input.dataset.token, (loaded, total) => {
      progress.max = total || 1;
      progress.value = loaded;
    });
    if (answer.status !== 201) {
      failed++;
      said.textContent = `${file.name} was not taken: ${answer.text}`;
    }
  }
  progress.hidden = true;
  if (failed === 0) location.assign(input.dataset.then ?? location.href);
}

const upload = document.querySelector('#upload');
upload?.addEventListener('change', () =>
  sendAll(upload, (file) => `${upload.dataset.to}${encodeURIComponent(file.name)}`),
);

const bundle = document.querySelector('#bundle');
bundle?.addEventListener('change', () => sendAll(bundle, () => '/update'));

localTimes(document);
