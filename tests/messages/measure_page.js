// Looks at an email as it stands in the window, and says in words what is wrong with it. Contrast as in WCAG 2.2, 1.4.3.
(async ({ rightToLeft, light }) => {
  await document.fonts.ready;
  const wrong = [];
  const say = (what) => wrong.length < 12 && !wrong.includes(what) && wrong.push(what);
  const page = document.documentElement;
  if (page.scrollWidth > innerWidth + 1) say(`wider than the window: ${page.scrollWidth} of ${innerWidth}`);
  if ((page.dir === "rtl") !== rightToLeft) say(`direction ${page.dir}`);

  const rgba = (text) => {
    const found = text.match(/[\d.]+/g)?.map(Number) ?? [0, 0, 0, 0];
    return found.length === 3 ? [...found, 1] : found;
  };
  const over = (top, below) => [0, 1, 2].map((i) => top[i] * top[3] + below[i] * (1 - top[3])).concat(1);
  const behind = (element) => {
    const layers = [];
    for (let at = element; at; at = at.parentElement) {
      const colour = rgba(getComputedStyle(at).backgroundColor);
      if (colour[3] > 0) layers.push(colour);
      if (colour[3] === 1) break;
    }
    return layers.reverse().reduce((below, top) => over(top, below), [255, 255, 255, 1]);
  };
  const light_ = (c) => {
    const [r, g, b] = c.map((v) => ((v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (a, b) => {
    const [dim, bright] = [light_(a), light_(b)].sort((x, y) => x - y);
    return (bright + 0.05) / (dim + 0.05);
  };

  const stands = []; // [top, bottom] of everything that can be seen
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = texts.nextNode(); node; node = texts.nextNode()) {
    const words = node.textContent.trim();
    const style = getComputedStyle(node.parentElement);
    if (!words || style.visibility === "hidden") continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    const box = range.getBoundingClientRect();
    const size = parseFloat(style.fontSize);
    if (box.width < 2 || box.height < 2 || size < 3) continue; // a preheader
    if (style.opacity === "0") continue;
    if (!/[\p{L}\p{N}\p{Extended_Pictographic}]/u.test(words)) continue;
    stands.push([box.top, box.bottom]);
    if (!/[\p{L}\p{N}]/u.test(words)) continue; // a picture among letters has its own colours
    if (size < 12) say(`small letters (${size}px): ${words.slice(0, 40)}`);
    const [bottom, ink] = [behind(node.parentElement), rgba(style.color)];
    const ratio = contrast(over(ink, bottom), bottom);
    const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    if (ratio < (large ? 3 : 4.5)) say(`contrast ${ratio.toFixed(2)}: ${words.slice(0, 40)}`);
    if (box.left < -1 || box.right > innerWidth + 1) say(`cut off: ${words.slice(0, 40)}`);
    const strong = words.match(/[\p{L}]/u)?.[0];
    if (/[\u05d0-\u05ea]/.test(strong ?? "") && style.direction !== "rtl") {
      say(`Hebrew from left to right: ${words.slice(0, 40)}`);
    }
  }
  for (const picture of document.images) {
    const box = picture.getBoundingClientRect();
    if (!picture.hasAttribute("alt")) say(`picture without words: ${picture.src.slice(0, 60)}`);
    if (!picture.complete || !picture.naturalWidth) say(`picture that does not load: ${picture.src.slice(0, 80)}`);
    if (box.height > 4) stands.push([box.top, box.bottom]);
    if (box.right > innerWidth + 1 || box.left < -1) say(`picture cut off: ${picture.alt}`);
    if (picture.naturalWidth && box.height > 4) {
      const [is, should] = [box.width / box.height, picture.naturalWidth / picture.naturalHeight];
      if (Math.abs(is / should - 1) > 0.05) say(`picture out of shape: ${picture.alt}`);
    }
  }
  for (const link of document.querySelectorAll("a[href]")) {
    const button = link.closest("td[bgcolor], td[style*='background']");
    const box = link.getBoundingClientRect();
    if (/inline-block/.test(link.style.display) && button && box.height && box.height < 36) {
      say(`low button (${box.height}px): ${link.textContent.trim()}`);
    }
  }
  stands.sort((a, b) => a[0] - b[0]);
  let end = 0;
  for (const [top, bottom] of stands) {
    if (top - end > 110) say(`nothing for ${Math.round(top - end)}px below ${Math.round(end)}px`);
    end = Math.max(end, bottom);
  }
  const ground = light_(behind(document.body.querySelector(".agala-page") ?? document.body));
  if (light !== ground > 0.4) say(light ? "dark by day" : "light by night");
  return { wrong, height: Math.ceil(page.scrollHeight) };
})
