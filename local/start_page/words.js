// The page's words, in both languages. A word that is not here is shown as it came, in spaces for underscores.

const WORDS = {
  en: {
    store: "Store", outbox: "Outbox", journeys: "Journeys", contacts: "Contacts", shops: "Shops", switch: "עברית",
    no_token: "Open the login link that the terminal printed when Agala started.",
    token_refused: "This login link is not good any more. Open the one that the terminal printed last.",
    out_of_reach: "Agala does not answer. Is it running? This page tries again by itself.",
    no_stores: "No store is connected yet. Connect one under Shops, make one with POST /v1/stores, or run make demo.",
    connect_title: "Connect a WooCommerce shop",
    connect_how: "Install agala.zip (make plugin) in WordPress, open WooCommerce → Agala there, paste a connection code and press Connect.",
    make_code: "Make a connection code", code: "Connection code", copy: "Copy", copied: "Copied",
    good_until: "Good for one shop, until", code_failed: "No code was made. Try again.",
    shopify_title: "Connect a Shopify shop", shopify_shop: "Shop", shopify_way: "How", scopes: "What Agala may do, and why",
    shopify_token: "With a token of the shop's admin", shopify_own_app: "With the shop's own app", shopify_link: "On Shopify's own page",
    shopify_token_how: "For a shop that already has a custom app of its own admin. In Shopify: Settings → Apps and sales channels → Develop apps. Paste the Admin API access token and the API secret key.",
    shopify_own_app_how: "In Shopify's Dev Dashboard make an app with the scopes below, release it, install it in the shop, and paste its client ID and secret.",
    shopify_link_how: "Agala makes a link. The shop's owner opens it and approves on Shopify's page.",
    shopify_no_app: "Agala has no app at Shopify yet. Make one in the Dev Dashboard with these addresses and the scopes below, then paste its keys here.",
    app_url: "App URL", redirect_url: "Redirect URL", privacy_url: "Privacy webhooks",
    access_token: "Admin API access token", app_secret: "API secret key",
    client_id: "Client ID", client_secret: "Client secret", optional: "can be done without",
    shopify_connect: "Connect the shop", shopify_make_link: "Make the link", shopify_open: "Open Shopify and approve",
    shopify_until: "Good once, until", shopify_connected: "Connected:",
    no_shops: "No shop yet.", over_api: "made over the API", connected: "connected", disconnected: "disconnected",
    shop_held: "Nothing is sent until the shop is connected again.",
    address: "Address", connection: "Connection", sync: "Sync", no_keys: "The shop has not handed over its REST keys yet.",
    never: "not begun", waiting: "waits", history: "history", reconcile: "nightly look", next_try: "Next try",
    webhooks: "Live updates", products: "Products", customers: "Customers", quiet_since: "No word from its webhooks since",
    mended: "Webhooks mended", missed: "Missed and fetched", last_look: "Last look",
    no_mails: "Nothing was sent yet. A message shows up here the moment a journey sends it.",
    no_journeys: "This store has no journeys yet. The gallery is at /v1/journey-templates.",
    no_contacts: "Nobody yet. Contacts come with the store's first customers and orders.",
    nothing: "Nothing yet.", choose: "Choose one from the list.", not_found: "There is no such thing (any more).",
    to: "To", from: "From", at: "Sent", journey: "Journey", step: "Step", kind: "Kind", headers: "Headers",
    letter: "Letter", text: "Plain text", details: "Details", bubble: "On the phone",
    way: "On the way", done: "Ended", people: "Who came through", status: "Status", entered: "Entered", reason: "Reason",
    version: "Version", drawing: "Drawing", contact: "Contact", where: "At", due: "Goes on", now: "Store time",
    speed: "times as fast", find: "Find by email", name: "Name", email: "Email", phone: "Phone", orders: "Orders",
    spent: "Spent", last_order: "Last order", first_order: "First order", consent: "Consent", since: "Known since",
    timeline: "What happened", enrolments: "Journeys", messages: "Messages", subject: "Subject", more: "Show more",
    back: "All contacts", joined_from: "Came from", lists: "Lists", tags: "Tags",
    running: "on the way", held: "held", completed: "completed", goal_met: "goal met", exited: "left", stopped: "stopped",
    failed: "failed", draft: "draft", active: "active", paused: "paused", archived: "archived",
    claimed: "being sent", not_sent: "not sent", unknown: "unknown", sent: "sent", delivered: "delivered",
    bounced: "bounced", complained: "complained", opened: "opened", clicked: "clicked",
    subscribed: "subscribed", unsubscribed: "unsubscribed", pending: "pending", never_asked: "never asked",
    marketing: "marketing", transactional: "transactional", sms: "SMS", whatsapp: "WhatsApp",
    no_consent: "no consent", frequency_cap: "frequency cap", quiet_hours: "quiet hours", suppressed: "suppressed",
    no_email: "no email address", no_phone: "no phone", sandbox: "not one of the sandbox's own people",
    sending_stopped: "sending is stopped", rejected: "refused by the provider",
    order_placed: "Order placed", order_paid: "Order paid", order_completed: "Order completed",
    order_cancelled: "Order cancelled", order_refunded: "Refund", order_delivered: "Order delivered", payment_failed: "Payment failed",
    cart_updated: "Cart changed", checkout_started: "Reached the checkout", cart_abandoned: "Cart left",
    cart_recovered: "Cart bought after all", cart_bought: "the cart was bought", cart_emptied: "the cart was emptied",
    cart_of_another: "the cart is somebody else's", order_deleted: "the order was deleted",
    contact_erased: "the contact was erased",
    contact_created: "First seen", product_back_in_stock: "Back in stock", consent_changed: "Consent changed",
    subscribed: "Subscribed", unsubscribed: "Unsubscribed", checkout_abandoned: "Left at the checkout",
    threshold_reached: "Reached a threshold", coupon_redeemed: "Their coupon was used",
    journey_entered: "Entered a journey", journey_ended: "Journey ended", journey_stopped: "Journey stopped",
    journey_held: "Journey held", journey_resumed: "Journey goes on",
    message_sent: "Message sent", message_not_sent: "Message not sent", message_delivered: "Message delivered",
    message_failed: "Message failed", message_bounced: "Message bounced", message_complained: "Marked as spam",
    message_opened: "Message opened", message_clicked: "Link clicked", message_unknown: "Message: unknown if sent",
  },
  he: {
    store: "חנות", outbox: "דואר יוצא", journeys: "מסעות", contacts: "אנשי קשר", shops: "חנויות", switch: "English",
    no_token: "פתחו את קישור הכניסה שהודפס במסוף כשאגלה עלתה.",
    token_refused: "קישור הכניסה הזה כבר לא בתוקף. פתחו את הקישור האחרון שהודפס במסוף.",
    out_of_reach: "אגלה לא עונה. האם היא פועלת? הדף מנסה שוב מעצמו.",
    no_stores: "עוד לא חוברה חנות. חברו אחת תחת ״חנויות״, צרו אחת עם POST /v1/stores, או הריצו make demo.",
    connect_title: "חיבור חנות WooCommerce",
    connect_how: "התקינו ב־WordPress את agala.zip (make plugin), פתחו שם WooCommerce ואז אגלה, הדביקו קוד חיבור ולחצו על חיבור.",
    make_code: "יצירת קוד חיבור", code: "קוד חיבור", copy: "העתקה", copied: "הועתק",
    good_until: "לחנות אחת, בתוקף עד", code_failed: "לא נוצר קוד. נסו שוב.",
    shopify_title: "חיבור חנות Shopify", shopify_shop: "החנות", shopify_way: "איך", scopes: "מה אגלה רשאית לעשות, ולמה",
    shopify_token: "עם מפתח מהניהול של החנות", shopify_own_app: "עם אפליקציה של החנות", shopify_link: "בדף של Shopify",
    shopify_token_how: "לחנות שכבר יש לה אפליקציה מהניהול שלה. ב־Shopify: ‏Settings → Apps and sales channels → Develop apps. הדביקו את Admin API access token ואת API secret key.",
    shopify_own_app_how: "צרו אפליקציה ב־Dev Dashboard של Shopify עם ההרשאות שלמטה, פרסמו גרסה, התקינו אותה בחנות, והדביקו את ה־Client ID וה־Client secret שלה.",
    shopify_link_how: "אגלה יוצרת קישור. בעלי החנות פותחים אותו ומאשרים בדף של Shopify.",
    shopify_no_app: "לאגלה אין עדיין אפליקציה ב־Shopify. צרו אחת ב־Dev Dashboard עם הכתובות האלה וההרשאות שלמטה, והדביקו כאן את המפתחות שלה.",
    app_url: "App URL", redirect_url: "Redirect URL", privacy_url: "webhooks לפרטיות",
    access_token: "Admin API access token", app_secret: "API secret key",
    client_id: "Client ID", client_secret: "Client secret", optional: "אפשר גם בלי",
    shopify_connect: "חיבור החנות", shopify_make_link: "יצירת קישור", shopify_open: "לפתוח את Shopify ולאשר",
    shopify_until: "לפעם אחת, בתוקף עד", shopify_connected: "חוברה:",
    no_shops: "אין עדיין חנות.", over_api: "נוצרה דרך ה־API", connected: "מחוברת", disconnected: "מנותקת",
    shop_held: "עד שהחנות תחובר שוב לא נשלח דבר.",
    address: "כתובת", connection: "חיבור", sync: "סנכרון", no_keys: "החנות עוד לא מסרה את מפתחות ה־REST שלה.",
    never: "לא התחיל", waiting: "ממתין", history: "היסטוריה", reconcile: "בדיקה לילית", next_try: "הניסיון הבא",
    webhooks: "עדכונים חיים", products: "מוצרים", customers: "לקוחות", quiet_since: "אין עדכונים מהחנות מאז",
    mended: "עדכונים חיים שתוקנו", missed: "הוחמץ והושלם", last_look: "הבדיקה האחרונה",
    no_mails: "עוד לא נשלח דבר. הודעה תופיע כאן ברגע שמסע ישלח אותה.",
    no_journeys: "אין עדיין מסעות בחנות הזאת. הגלריה נמצאת ב־/v1/journey-templates.",
    no_contacts: "עוד אין אף אחד. אנשי הקשר מגיעים עם הלקוחות וההזמנות הראשונים.",
    nothing: "עוד אין כלום.", choose: "בחרו מהרשימה.", not_found: "אין דבר כזה (או שכבר איננו).",
    to: "אל", from: "מאת", at: "נשלח", journey: "מסע", step: "שלב", kind: "סוג", headers: "כותרות",
    letter: "המייל", text: "טקסט פשוט", details: "פרטים", bubble: "בטלפון",
    way: "בדרך", done: "סיימו", people: "מי עבר כאן", status: "מצב", entered: "כניסה", reason: "סיבה",
    version: "גרסה", drawing: "שרטוט", contact: "איש קשר", where: "נמצא ב", due: "ממשיך", now: "שעון החנות",
    speed: "פי כמה מהר", find: "חיפוש לפי מייל", name: "שם", email: "מייל", phone: "טלפון", orders: "הזמנות",
    spent: "סך קניות", last_order: "הזמנה אחרונה", first_order: "הזמנה ראשונה", consent: "הסכמה", since: "מוכר מאז",
    timeline: "מה קרה", enrolments: "מסעות", messages: "הודעות", subject: "נושא", more: "עוד",
    back: "כל אנשי הקשר", joined_from: "הגיע דרך", lists: "רשימות", tags: "תגיות",
    running: "בדרך", held: "מוחזק", completed: "הושלם", goal_met: "המטרה הושגה", exited: "יצא", stopped: "נעצר",
    failed: "נכשל", draft: "טיוטה", active: "פעיל", paused: "מושהה", archived: "בארכיון",
    claimed: "בשליחה", not_sent: "לא נשלח", unknown: "לא ידוע", sent: "נשלח", delivered: "נמסר",
    bounced: "חזר", complained: "תלונת ספאם", opened: "נפתח", clicked: "הוקלק",
    subscribed: "רשום", unsubscribed: "הוסר", pending: "ממתין לאישור", never_asked: "לא נשאל",
    marketing: "שיווקי", transactional: "תפעולי", sms: "SMS", whatsapp: "וואטסאפ",
    no_consent: "אין הסכמה", frequency_cap: "תקרת תדירות", quiet_hours: "שעות שקט", suppressed: "חסום",
    no_email: "אין כתובת מייל", no_phone: "אין טלפון", sandbox: "לא ברשימת הנמענים של מצב הניסוי",
    sending_stopped: "השליחה עצורה", rejected: "הספק סירב",
    order_placed: "הזמנה בוצעה", order_paid: "הזמנה שולמה", order_completed: "הזמנה הושלמה",
    order_cancelled: "הזמנה בוטלה", order_refunded: "החזר כספי", order_delivered: "הזמנה נמסרה", payment_failed: "תשלום נכשל",
    cart_updated: "העגלה השתנתה", checkout_started: "הגיעו לקופה", cart_abandoned: "העגלה ננטשה",
    cart_recovered: "העגלה נקנתה בסוף", cart_bought: "העגלה נקנתה", cart_emptied: "העגלה רוקנה",
    cart_of_another: "העגלה שייכת למישהו אחר", order_deleted: "ההזמנה נמחקה", contact_erased: "איש הקשר נמחק",
    contact_created: "הופעה ראשונה", product_back_in_stock: "חזר למלאי", consent_changed: "ההסכמה השתנתה",
    subscribed: "הצטרפות לדיוור", unsubscribed: "הסרה מדיוור", checkout_abandoned: "נטישה בקופה",
    threshold_reached: "הגיעו לסף", coupon_redeemed: "הקופון שלהם נוצל",
    journey_entered: "כניסה למסע", journey_ended: "סוף המסע", journey_stopped: "המסע נעצר",
    journey_held: "המסע מוחזק", journey_resumed: "המסע ממשיך",
    message_sent: "הודעה נשלחה", message_not_sent: "הודעה לא נשלחה", message_delivered: "הודעה נמסרה",
    message_failed: "הודעה נכשלה", message_bounced: "הודעה חזרה", message_complained: "סומנה כספאם",
    message_opened: "הודעה נפתחה", message_clicked: "קישור הוקלק", message_unknown: "הודעה: לא ידוע אם נשלחה",
  },
};

const KEPT = "agala-language";
export let language = localStorage.getItem(KEPT) ?? (navigator.language.startsWith("he") ? "he" : "en");

export function word(key) {
  return WORDS[language][key] ?? String(key ?? "").replaceAll("_", " ");
}

export function speak(chosen) {
  language = chosen in WORDS ? chosen : "en";
  localStorage.setItem(KEPT, language);
  document.documentElement.lang = language;
  document.documentElement.dir = language === "he" ? "rtl" : "ltr";
}

/** A text that comes in several languages ({he, en}): the page's own, else any. */
export function inLanguage(texts) {
  return texts?.[language] ?? Object.values(texts ?? {})[0] ?? "";
}

const SHAPE = { dateStyle: "medium", timeStyle: "short" };

export function moment(text, timeZone) {
  if (!text) return "";
  try {
    return new Intl.DateTimeFormat(language, { ...SHAPE, timeZone }).format(new Date(text));
  } catch {
    return text;
  }
}

export function money(value) {
  if (!value) return "";
  const format = new Intl.NumberFormat(language, { style: "currency", currency: value.currency });
  return format.format(value.amount / 10 ** format.resolvedOptions().maximumFractionDigits);
}
