/** Made-up people of Valdora, by the language they write in, and the words that fill the templates. */

const list = (names) => names.trim().split(/\s+/);

export const AUTHORS = {
  en: list(`marnie_w tomhalloran lirna_walker dr_okafor upstairs_at_17 jo_from_the_mill quietpedal benwrites sal_and_sons
    nightshiftnora kofi_b hilltop_hen rowan_k thirdstep valdora_eats porchlight_pete annika_s scoutleader_liz
    old_mill_garden deb_on_ottone grumpy_hydrologist mattress_sid clara_runs pixelpastor ines_r truckerdan
    thesisghost luthier_lane wetsocks studio_embankment`),
  es: list(`lucia_mv pablo_entre_rios abuela_carmen nachoenbici molino_vivo irene_tz radio_barrio_sb el_taller_de_quim
    maria_fer_0 vecinosdelmolino juanjo_b teresa_lee`),
  fr: list(`camille_aux_saules jp_martinet lea_dessine le_42_des_saules boulange_noemie yannick_v mamie_odette
    trompette_stop etudiante_nord karim_b ophelie_c`),
  de: list(`eichgrund_jonas frau_brenn annegret_l pendler_kurt feuerwehr_fan_max schulstrasse7 lena_wandert
    ostkurve_tim heike_b bergziege`),
  it: list(`chiara_pv ilgiambi nonna_ines_21 canottieri_lirna marta_legge fabio_r libreria_sirena don_piero giuli_a
    fornaio_sb vale_ntina`),
  pt: list(`joana_pv thiago_m dona_celia rafa_s bia_voluntaria nuno_t`),
  hi: list(`meera_j arjun_valdora sunita_k rohit_p`),
  ar: list(`noor_h samir_alv layla_m abu_yousef`),
  tl: list(`jhen_r kuya_boyet ate_liza mark_p_valdora`),
  ja: list(`yuki_valdora sakura_n kenta_o mori_note`),
  nl: list('sanne_v pieter_d'),
  pl: list('kasia_w marek_z'),
  tr: list('elif_y deniz_k'),
  uk: list('oksana_t dmytro_l'),
  zh: list('lin_xiaoyu wang_lei'),
};

export const FILLINGS = {
  street: [
    'Via Molino',
    'Via Ottone',
    'rue des Saules',
    'the Embankment',
    'Old Mill Lane',
    'Via dei Conciatori',
  ],
  depth: [
    'up to the door handle',
    'knee-deep',
    'over the letterboxes',
    'at the second step',
    'waist-high and brown',
  ],
  people: ['three people', 'a family of five', 'two of us and a dog', 'six neighbours', 'an older couple'],
  relative: ['sister', 'grandfather', 'mum', 'flatmate', 'uncle'],
  depth_es: ['a la rodilla', 'por la cintura', 'al segundo escalón', 'a la altura del buzón'],
  depth_fr: ["jusqu'aux genoux", 'à la deuxième marche', 'au niveau des boîtes aux lettres'],
  depth_it: ['alle ginocchia', 'al secondo gradino', "all'altezza delle cassette della posta"],
  depth_de: ['kniehoch', 'bis zum Briefkasten', 'bis zur zweiten Stufe', 'hüfthoch'],
};
