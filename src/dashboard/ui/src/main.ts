/** Where the page begins: hands the browser's clock, chance and address to the app. */
import './style/base.css';
import './style/top.css';
import './style/feed.css';
import './style/side.css';
import './style/dialogs.css';
import { startApp } from './app.ts';

const root = document.getElementById('page');
if (root) {
  root.replaceChildren();
  startApp({
    root,
    window,
    liveUrl: `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/live`,
    now: () => Date.now(),
    random: () => Math.random(),
  });
}
