-- page --
select * from dataset
where company_id = %(company_id)s and {where}
order by {order}
limit %(limit)s offset %(offset)s

-- count --
select count(*) as total from dataset
where company_id = %(company_id)s and {where}
