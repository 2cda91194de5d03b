/** A small rumour collection in Weibo's layout, Chinese texts made up for this project, no pictures. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { seededRandom } from '../../src/base/random.ts';

const FAKE = ['听说水库今晚决口，快跑', '朋友说地铁里有鲨鱼', '紧急：全市停水三天', '据说明天太阳不升'];
const REAL = ['消防队到达现场，道路封闭', '气象台发布暴雨预警', '学校今天照常上课', '桥上交通恢复正常'];
/** Drawn from for what a post has of its own, so that no two are near-duplicates. */
const CHARACTERS = [
  ...'北区南门河东山下码头新城老街湖边车站广场邻居朋友早晚书店面包公园走路骑车钥匙雨伞电话花草猫狗鱼鸟',
];

/** 80 posts, half of them rumours. Each of the 20 that test shows the picture of one that trains; the last has no text. */
export function writeWeiboFolder(dir: string): void {
  mkdirSync(dir, { recursive: true });
  const rows = [
    'post_id\tcreated_at\tlabel\tsplit\tuser_hash\treposts\tcomments\tlikes\timage_ids\timage_file\ttext',
  ];
  const random = seededRandom(7);
  for (let i = 0; i < 80; i += 1) {
    const fake = i % 2 === 0;
    const test = i >= 60;
    const said = (fake ? FAKE : REAL)[(i >> 1) % 4] as string;
    const own = Array.from({ length: 30 }, () => CHARACTERS[Math.floor(random() * CHARACTERS.length)]).join(
      '',
    );
    const text = i === 79 ? '' : `${own}：${said}`;
    rows.push(
      [
        500 + i,
        new Date(Date.UTC(2014, 1, 1, 0, i)).toISOString(),
        fake ? 'rumor' : 'nonrumor',
        test ? 'test' : 'train',
        `author${i % 31}`,
        0,
        0,
        0,
        `picture${i % 60}`,
        '',
        text,
      ].join('\t'),
    );
  }
  writeFileSync(join(dir, 'posts.tsv'), `${rows.join('\n')}\n`);
}
