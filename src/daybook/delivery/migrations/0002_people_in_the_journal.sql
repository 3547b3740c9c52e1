-- Which attempts hold what is known of people: afterwards nobody could tell, as values are in them and not ids.

ALTER TABLE attempts ADD COLUMN people uuid[];
CREATE INDEX attempts_of_people ON attempts USING gin (people) WHERE people IS NOT NULL;
COMMENT ON COLUMN attempts.people IS 'whose data the request, its answer or the address may hold; cleared when one of them is erased';
