// The common emoji by Slack's names. One that is not here stays as :its_name:.

import { h } from "./dom.js";

const TABLE = {
  Often: `white_check_mark ✅|x ❌|+1 thumbsup 👍|-1 thumbsdown 👎|eyes 👀|tada 🎉|heart ❤️|pray 🙏|raised_hands 🙌|fire 🔥|
rocket 🚀|100 💯|thinking_face thinking 🤔|joy 😂|ok_hand 👌|clap 👏|wave 👋|muscle 💪|sparkles ✨|warning ⚠️`,
  Faces: `grinning 😀|smiley 😃|smile 😄|grin 😁|laughing satisfied 😆|sweat_smile 😅|rolling_on_the_floor_laughing rofl 🤣|
slightly_smiling_face 🙂|upside_down_face 🙃|wink 😉|blush 😊|innocent 😇|heart_eyes 😍|star-struck 🤩|kissing_heart 😘|yum 😋|
stuck_out_tongue 😛|zany_face 🤪|hugging_face 🤗|shushing_face 🤫|zipper_mouth_face 🤐|face_with_raised_eyebrow 🤨|
neutral_face 😐|expressionless 😑|no_mouth 😶|smirk 😏|unamused 😒|face_with_rolling_eyes 🙄|grimacing 😬|relieved 😌|
pensive 😔|sleepy 😪|sleeping 😴|mask 😷|nerd_face 🤓|sunglasses 😎|partying_face 🥳|confused 😕|worried 😟|
slightly_frowning_face 🙁|open_mouth 😮|astonished 😲|flushed 😳|fearful 😨|cry 😢|sob 😭|scream 😱|disappointed 😞|sweat 😓|
weary 😩|tired_face 😫|yawning_face 🥱|triumph 😤|rage 😡|angry 😠|exploding_head 🤯|skull 💀|clown_face 🤡|ghost 👻|hatching_chick 🐣|
robot_face 🤖|see_no_evil 🙈|hear_no_evil 🙉|speak_no_evil 🙊|face_with_monocle 🧐|saluting_face 🫡|melting_face 🫠`,
  People: `v ✌️|crossed_fingers 🤞|the_horns 🤘|call_me_hand 🤙|point_left 👈|point_right 👉|point_up_2 👆|point_down 👇|
point_up ☝️|hand raised_hand ✋|raised_back_of_hand 🤚|spock-hand 🖖|fist ✊|facepunch punch 👊|handshake 🤝|
writing_hand ✍️|open_hands 👐|bow 🙇|shrug 🤷|face_palm facepalm 🤦|raising_hand 🙋|ok_woman 🙆|no_good 🙅|
bust_in_silhouette 👤|busts_in_silhouette 👥|brain 🧠|ear 👂|technologist 🧑‍💻|scientist 🧑‍🔬|teacher 🧑‍🏫|judge 🧑‍⚖️`,
  Hearts: `orange_heart 🧡|yellow_heart 💛|green_heart 💚|blue_heart 💙|purple_heart 💜|black_heart 🖤|white_heart 🤍|
broken_heart 💔|two_hearts 💕|sparkling_heart 💖|star ⭐|star2 🌟|dizzy 💫|boom collision 💥|zap ⚡|droplet 💧|speech_balloon 💬|
thought_balloon 💭|zzz 💤|eye 👁️`,
  Nature: `dog 🐶|cat 🐱|mouse 🐭|fox_face 🦊|bear 🐻|panda_face 🐼|lion_face 🦁|frog 🐸|monkey_face 🐵|chicken 🐔|penguin 🐧|
bird 🐦|owl 🦉|bee 🐝|bug 🐛|butterfly 🦋|snail 🐌|turtle 🐢|octopus 🐙|whale 🐳|unicorn_face 🦄|dragon 🐉|seedling 🌱|
evergreen_tree 🌲|deciduous_tree 🌳|cactus 🌵|four_leaf_clover 🍀|maple_leaf 🍁|mushroom 🍄|sunflower 🌻|rose 🌹|
cherry_blossom 🌸|sunny ☀️|partly_sunny ⛅|cloud ☁️|rain_cloud 🌧️|snowflake ❄️|rainbow 🌈|ocean 🌊|crescent_moon 🌙|
earth_africa 🌍|earth_americas 🌎|earth_asia 🌏`,
  Food: `apple 🍎|banana 🍌|lemon 🍋|strawberry 🍓|avocado 🥑|bread 🍞|cheese_wedge 🧀|pizza 🍕|hamburger 🍔|taco 🌮|sushi 🍣|
cookie 🍪|birthday 🎂|cake 🍰|doughnut 🍩|popcorn 🍿|coffee ☕|tea 🍵|beer 🍺|beers 🍻|wine_glass 🍷|champagne 🍾|clinking_glasses 🥂`,
  Things: `confetti_ball 🎊|balloon 🎈|gift 🎁|trophy 🏆|medal 🏅|first_place_medal 🥇|second_place_medal 🥈|third_place_medal 🥉|
dart 🎯|game_die 🎲|jigsaw 🧩|art 🎨|musical_note 🎵|headphones 🎧|guitar 🎸|soccer ⚽|basketball 🏀|checkered_flag 🏁|
triangular_flag_on_post 🚩|car 🚗|bus 🚌|train 🚆|airplane ✈️|ship 🚢|bike 🚲|house 🏠|office 🏢|hospital 🏥|
alarm_clock ⏰|stopwatch ⏱️|hourglass ⌛|hourglass_flowing_sand ⏳|watch ⌚|calendar 📆|date 📅|spiral_calendar_pad 🗓️|
bell 🔔|no_bell 🔕|loudspeaker 📢|mega 📣|computer 💻|desktop_computer 🖥️|keyboard ⌨️|iphone 📱|phone telephone ☎️|camera 📷|
bulb 💡|flashlight 🔦|battery 🔋|electric_plug 🔌|gear ⚙️|wrench 🔧|hammer 🔨|hammer_and_wrench 🛠️|toolbox 🧰|magnet 🧲|
microscope 🔬|telescope 🔭|test_tube 🧪|dna 🧬|pill 💊|stethoscope 🩺|scales ⚖️|link 🔗|paperclip 📎|pushpin 📌|
round_pushpin 📍|scissors ✂️|lock 🔒|unlock 🔓|key 🔑|mag 🔍|mag_right 🔎|shield 🛡️|package 📦|inbox_tray 📥|outbox_tray 📤|
mailbox 📫|email envelope ✉️|incoming_envelope 📨|memo pencil 📝|pencil2 ✏️|clipboard 📋|page_facing_up 📄|bookmark_tabs 📑|
file_folder 📁|open_file_folder 📂|card_index_dividers 🗂️|wastebasket 🗑️|books 📚|book 📖|newspaper 📰|bookmark 🔖|label 🏷️|
bar_chart 📊|chart_with_upwards_trend 📈|chart_with_downwards_trend 📉|moneybag 💰|dollar 💵|credit_card 💳|receipt 🧾|
shopping_trolley 🛒|broom 🧹|ladder 🪜|crystal_ball 🔮|gem 💎|ring 💍|crown 👑|tophat 🎩|mortar_board 🎓|umbrella ☂️|
construction 🚧|rotating_light 🚨|fire_extinguisher 🧯|satellite 🛰️|flying_saucer 🛸|world_map 🗺️|compass 🧭|ticket 🎫`,
  Signs: `heavy_check_mark ✔️|ballot_box_with_check ☑️|heavy_multiplication_x ✖️|negative_squared_cross_mark ❎|no_entry ⛔|
no_entry_sign 🚫|octagonal_sign 🛑|question ❓|grey_question ❔|exclamation heavy_exclamation_mark ❗|grey_exclamation ❕|
bangbang ‼️|interrobang ⁉️|information_source ℹ️|recycle ♻️|arrows_counterclockwise 🔄|repeat 🔁|arrow_right ➡️|arrow_left ⬅️|
arrow_up ⬆️|arrow_down ⬇️|arrow_upper_right ↗️|arrow_lower_right ↘️|leftwards_arrow_with_hook ↩️|arrow_right_hook ↪️|
fast_forward ⏩|rewind ⏪|arrow_forward ▶️|double_vertical_bar ⏸️|black_square_for_stop ⏹️|heavy_plus_sign ➕|
heavy_minus_sign ➖|infinity ♾️|large_green_circle 🟢|large_yellow_circle 🟡|large_orange_circle 🟠|red_circle 🔴|
large_blue_circle large_circle 🔵|large_purple_circle 🟣|white_circle ⚪|black_circle ⚫|large_green_square 🟩|
large_yellow_square 🟨|large_orange_square 🟧|large_red_square 🟥|large_blue_square 🟦|white_large_square ⬜|
black_large_square ⬛|small_blue_diamond 🔹|small_orange_diamond 🔸|small_red_triangle 🔺|small_red_triangle_down 🔻|
radio_button 🔘|new 🆕|ok 🆗|cool 🆒|free 🆓|up 🆙|sos 🆘|one 1️⃣|two 2️⃣|three 3️⃣|four 4️⃣|five 5️⃣|six 6️⃣|seven 7️⃣|eight 8️⃣|
nine 9️⃣|keycap_ten 🔟|zero 0️⃣|hash #️⃣|a 🅰️|b 🅱️|copyright ©️|registered ®️|tm ™️|flag-de 🇩🇪|flag-fr 🇫🇷|flag-gb uk 🇬🇧|
flag-us us 🇺🇸|flag-es 🇪🇸|flag-it 🇮🇹|flag-nl 🇳🇱|flag-eu 🇪🇺|flag-jp 🇯🇵|waving_white_flag 🏳️|rainbow-flag 🏳️‍🌈|skin-tone-2 🏻|
skin-tone-3 🏼|skin-tone-4 🏽|skin-tone-5 🏾|skin-tone-6 🏿`,
};

export const GROUPS = Object.entries(TABLE).map(([title, rows]) => {
  const entries = rows.split("|").map((row) => row.trim().split(" "));
  return { title, entries: entries.map((parts) => ({ names: parts.slice(0, -1), sign: parts.at(-1) })) };
});
const SIGNS = new Map(GROUPS.flatMap(({ entries }) => entries.flatMap(({ names, sign }) => names.map((name) => [name, sign]))));
const TONES = { 2: "🏻", 3: "🏼", 4: "🏽", 5: "🏾", 6: "🏿" };

// "+1" or "+1::skin-tone-3" as characters, or null.
export function sign(name) {
  const [base, tone] = name.split("::skin-tone-");
  const found = SIGNS.get(base);
  if (!found) return null;
  return tone ? found.replace(/\ufe0f$/, "") + TONES[tone] : found;
}

export function emoji(name) {
  const found = sign(name);
  return found && h("span", { class: "emoji", role: "img", "aria-label": name.replace(/_/g, " "), title: `:${name}:` }, found);
}

// Text with its :shortcodes: drawn, and nothing else done to it.
export function withEmoji(text) {
  const parts = text.split(/(:[a-z0-9_+'-]+(?:::skin-tone-[2-6])?:)/);
  return parts.map((part, index) => (index % 2 ? emoji(part.slice(1, -1)) ?? part : part));
}

export function search(words, most = 60) {
  const wanted = words.toLowerCase().replaceAll(":", "").trim().replaceAll(" ", "_");
  const all = GROUPS.flatMap(({ entries }) => entries).filter(({ names }) => !names[0].startsWith("skin-tone"));
  const hits = all.filter(({ names }) => names.some((name) => name.includes(wanted)));
  const rank = ({ names }) => (names.some((name) => name.startsWith(wanted)) ? 0 : 1);
  return hits.sort((one, other) => rank(one) - rank(other)).slice(0, most);
}
