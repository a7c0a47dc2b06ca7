-- Each unit received is in exactly one final state, and nothing else is in any.
SELECT coalesce(unit.item_id, ended.item_id) || ' is in '
       || CASE
              WHEN unit.item_id IS NULL THEN 'a final state and was never received: ' || min(ended.state)
              WHEN count(ended.state) = 0 THEN 'no final state'
              ELSE count(ended.state) || ' final states: ' || string_agg(ended.state, ', ' ORDER BY ended.state)
          END AS problem
FROM quickintakez_unit AS unit
FULL JOIN unit_state AS ended USING (item_id)
GROUP BY unit.item_id, ended.item_id
HAVING unit.item_id IS NULL OR count(ended.state) <> 1
