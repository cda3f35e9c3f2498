-- What is searched for and what is searched are read in the same way. What looks the same is the same: NFC, which most text is in
-- already, and ё as е, which most people type. Punctuation that holds words together takes them apart, so a link is its words,
-- whether all of it or a part of it is pasted: the parser would take `example.com/a?b=c` for a host, a path, and both in one.
create function search_text(written text) returns text language sql immutable parallel safe
return regexp_replace(
    replace(replace(case when written is nfc normalized then written else normalize(written, nfc) end, 'ё', 'е'), 'Ё', 'Е'),
    '[-./@_+<&]+', ' ', 'g');

-- The words of a message as they are written. The chat's id is a lexeme of its own, so a search in one's chats is an intersection
-- within one index. No word begins with a '#', so nobody can search for it.
create function search_vector(of_chat uuid, written text) returns tsvector language sql immutable parallel safe
return to_tsvector('simple'::regconfig, search_text(written)) || array_to_tsvector(array['#' || of_chat::text]);

-- Each of the words typed, of more than ten only the longest ten, begins a word, or its stem does, so that other forms are found too; of a stem in -i, such as that of
-- `cities`, also the form in -y. A stem of one or two letters would begin too much. The `russian` configuration stems both
-- languages: words in Latin letters go through the English stemmer. The words are split as `search_vector` splits a text, and
-- quoted: none is an operator. Null without any word.
create function search_words(typed text) returns tsquery language sql immutable parallel safe
return (
    select string_agg('(' || (
        select string_agg(distinct '''' || form || ''':*', ' | ') from (values
            (case when starts_with(word, stem) then stem else word end),
            (stem),
            (case when stem like '%i' then left(stem, -1) || 'y' end)
        ) forms (form)
    ) || ')', ' & ')::tsquery
    from (
        -- Every prefix reads all words of the index that begin so, whosever they are.
        select word from unnest(tsvector_to_array(to_tsvector('simple'::regconfig, search_text(typed)))) word
        order by length(word) desc, word limit 10
    ) longest
    cross join lateral (
        select case when length(lexeme) > 2 then lexeme end stem
        from (select (tsvector_to_array(to_tsvector('russian'::regconfig, word)))[1] lexeme) stemmed
    ) stemmed
);
